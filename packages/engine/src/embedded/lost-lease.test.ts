import { setTimeout as delay } from 'node:timers/promises'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { ended, submit, until } from '../suite/rig.ts'
import { createEmbeddedRig, testClock } from './embedded-rig.ts'

test('a step does not begin on what was known before another process had the engine in between', async () => {
  const inner = await openStore({ dataDir: ':memory:' })
  let stoodStillMs = 0
  const another = async () => {
    const timeMs = Date.now() + 60_000
    await inner.write({ kind: 'acquire_engine_lease', holder: 'another', timeMs, ttlMs: 10 })
    await inner.write({ kind: 'release_engine_lease', holder: 'another' })
    stoodStillMs = 60_000
  }
  const write: Store['write'] = async (command) => {
    const written = await inner.write(command)
    if (command.kind === 'submit_job') await another()
    return written
  }
  // What the process has under way when it learns that takes its time.
  const runs: Store['runs'] = {
    ...inner.runs,
    unfinishedIds: (...args) => delay(400).then(() => inner.runs.unfinishedIds(...args)),
  }
  const store: Store = { ...inner, dialect: 'postgres', write, runs }
  const clock = { ...testClock, elapsedMs: () => performance.now() + stoodStillMs }
  let calls = 0
  const steps = { First: async () => ++calls, Second: async () => 2, Third: async () => 3 }
  const change = { clock, leaseTtlMs: 300, sweepEveryMs: 1 }
  const rig = await createEmbeddedRig({ store, steps, change })
  await until(
    async () => rig.engine.health().details.recovered,
    (isRecovered) => isRecovered === true,
  )
  const runId = await submit(rig, 'sequence')
  expect((await ended(rig, runId)).result).toEqual([1, 2, 3])
  expect(calls).toBe(1)
  await rig.stop()
})
