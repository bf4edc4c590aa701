import { setTimeout as delay } from 'node:timers/promises'
import { problem } from '@kyros/contract/problem'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { eventTypes, gate, owner, plain, submit, until, waiting } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'
import type { EngineClock } from './timers.ts'

const startMs = Date.now()
const speed = 20
/** Twenty times as fast as the machine's. */
const fastClock: EngineClock = {
  nowMs: () => startMs + (Date.now() - startMs) * speed,
  sleep: (ms, signal) => delay(ms / speed, undefined, signal === undefined ? {} : { signal }),
}

/** A store that takes no writes while `out.isOut`. */
function failing(store: Store, out: { isOut: boolean }): Store {
  const write: Store['write'] = async (command) => {
    if (out.isOut) throw problem('store_unavailable', { detail: 'The disk is away.' })
    return store.write(command)
  }
  return { ...store, write }
}

test('in an outage who signals is told in time that it may have been taken, and a stop ends in time', async () => {
  const out = { isOut: false }
  const opened = await openStore({ dataDir: ':memory:' })
  const workflows = [testWorkflow('collecting')]
  const rig = await createEmbeddedRig({
    ...{ store: failing(opened, out), steps: plain, workflows },
    change: { clock: fastClock },
  })
  const runId = await submit(rig, 'collecting', { count: 3 })
  await waiting(rig, runId, 'signal')
  out.isOut = true
  const beginMs = fastClock.nowMs()
  await expect(rig.engine.signal(runId, 'add', 1, owner)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringContaining('may have been taken'),
  })
  expect(fastClock.nowMs() - beginMs).toBeLessThan(20_000)
  out.isOut = false
  // It was: what could not be confirmed took effect.
  await until(
    () => eventTypes(rig, runId),
    (types) => types.includes('signal.received'),
  )
  out.isOut = true
  const another = rig.engine.signal(runId, 'add', 2, owner).catch((error: unknown) => error)
  await rig.engine.drain(100)
  expect(await another).toMatchObject({ code: 'store_unavailable' })
  out.isOut = false
  await rig.stop()
})

test('who has lost the engine tells its attempts at once, whatever else it still waits for', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  const read = Promise.withResolvers<void>()
  let isStuck = false
  const list: Store['inbox']['list'] = async (after, limit) => {
    if (isStuck) await read.promise
    return opened.inbox.list(after, limit)
  }
  const store: Store = { ...opened, dialect: 'postgres', inbox: { ...opened.inbox, list } }
  const { came, arrive } = gate()
  const aborted = Promise.withResolvers<void>()
  const First = async (_input: unknown, { signal }: { signal: AbortSignal }) => {
    signal.addEventListener('abort', () => aborted.resolve(), { once: true })
    arrive()
    await aborted.promise
    throw signal.reason
  }
  const workflows = [testWorkflow('sequence')]
  const rig = await createEmbeddedRig({ store, steps: { ...plain, First }, workflows })
  const runId = await submit(rig, 'sequence')
  await came
  isStuck = true
  await opened.write({ kind: 'put_inbox', message: { type: 'accept', runId }, timeMs: Date.now() })
  const timeMs = Date.now() + 3_600_000
  await opened.write({ kind: 'acquire_engine_lease', holder: 'another', timeMs, ttlMs: 60_000 })
  await aborted.promise
  read.resolve()
  await rig.stop()
})
