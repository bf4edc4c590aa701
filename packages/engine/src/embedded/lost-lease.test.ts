import { setTimeout as delay } from 'node:timers/promises'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { ended, submit, until } from '../suite/rig.ts'
import { createEmbeddedRig, testClock } from './embedded-rig.ts'

test('a step does not begin on what was known before another process had the engine in between', async () => {
  const inner = await openStore({ dataDir: ':memory:' })
  let stoodStillMs = 0
  const another = async (runId: string) => {
    const timeMs = Date.now() + 60_000
    await inner.write({ kind: 'acquire_engine_lease', holder: 'another', timeMs, ttlMs: 10 })
    const data = { step: 'First', key: 'First', command: 1, attempt: 1, output: 'theirs' }
    const events = [{ type: 'step.completed', timeMs: Date.now(), data } as const]
    await inner.write({ kind: 'append_run_events', runId, events, epoch: 2 })
    await inner.write({ kind: 'release_engine_lease', holder: 'another' })
    stoodStillMs = 60_000
  }
  const write: Store['write'] = async (command) => {
    const written = await inner.write(command)
    if ('run' in command) await another(command.run.id)
    return written
  }
  // It still reads what it is to do when it learns that, and lets go of its runs only after that.
  const runs: Store['runs'] = {
    ...inner.runs,
    unfinished: (...args) => delay(500).then(() => inner.runs.unfinished(...args)),
  }
  const store: Store = { ...inner, dialect: 'postgres', write, runs }
  const clock = { ...testClock, elapsedMs: () => performance.now() + stoodStillMs }
  let calls = 0
  const steps = { First: async () => ++calls, Second: async () => 2, Third: async () => 3 }
  const change = { clock, leaseTtlMs: 300 }
  const rig = await createEmbeddedRig({ store, steps, change })
  await until(
    async () => rig.engine.health().details.holds_lease,
    (isHeld) => isHeld === true,
  )
  const runId = await submit(rig, 'sequence')
  expect((await ended(rig, runId)).result).toEqual(['theirs', 2, 3])
  expect(calls).toBe(0)
  await rig.stop()
})
