import { isRunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { payloadsOf } from '@kyros/store/event-payloads'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { type EngineRig, ended, owner, plain, record, submit, until, waiting } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

const values = new URL('../fixtures/value-definitions.ts', import.meta.url)
const workflows = ['gathering', 'giving_back', 'handing_over'].map((name) =>
  testWorkflow(name, undefined, values),
)

const rigs: EngineRig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

/** Runs leave memory at once, so that all that they were given is read again from the log. */
const open = async () => openOn(await openStore({ dataDir: ':memory:' }))

async function openOn(store: Store, steps = plain) {
  const rig = await createEmbeddedRig({ store, steps, workflows, change: { evictAfterMs: 10 } })
  rigs.push(rig)
  return rig
}

const forged = { $blob: 'a'.repeat(64), bytes: 1 }
const large = 'é'.repeat(40_000)

const asleep = (rig: EngineRig) =>
  until(
    async () => rig.engine.health().details,
    (details) => details.asleep_runs === 1,
  )

async function gather(rig: EngineRig, value: Json) {
  const runId = await submit(rig, 'gathering', value)
  await waiting(rig, runId, 'waitpoint')
  await asleep(rig)
  const [command] = (await rig.store.events.ofRun(runId)).flatMap(({ type, data }) =>
    type === 'waitpoint.created' ? [Number(data.command)] : [],
  )
  await rig.engine.answerWaitpoint(runId, command ?? 0, value, owner)
  await waiting(rig, runId, 'signal')
  await asleep(rig)
  await rig.engine.signal(runId, 'value', value, owner)
  await asleep(rig)
  const updateId = rig.newId()
  const answer = await rig.engine.update(runId, 'value', value, { updateId, principal: owner })
  return { run: await ended(rig, runId), answer }
}

test.each([
  ['that looks like a reference of ours', forged],
  ['above 64 KB', large],
])('a value %s comes out on every way as it went in', async (_, value) => {
  const rig = await open()
  const { run, answer } = await gather(rig, value)
  expect(answer).toEqual(value)
  expect(run.result).toEqual([value, value, value, value, value, value])
  const events = (await rig.store.events.ofRun(run.id)).filter((event) => isRunEvent(event))
  const kept = events.filter(({ type }) => type !== 'run.completed').flatMap(payloadsOf)
  expect(kept).toHaveLength(8)
  for (const payload of kept)
    expect(payload).toEqual({ $blob: expect.any(String), bytes: expect.any(Number) })
  expect(kept).not.toContainEqual(value)
})

test.each([forged, large])('a run hands over to its next part what it was given', async (value) => {
  const rig = await open()
  const runId = await submit(rig, 'handing_over', value)
  await waiting(rig, runId, 'timer')
  await rig.engine.signal(runId, 'early', value, owner)
  await waiting(rig, runId, 'signal')
  await asleep(rig)
  await rig.engine.signal(runId, 'end', null, owner)
  expect((await ended(rig, runId)).result).toEqual([value, value])
  const [continued] = (await rig.store.events.ofRun(runId)).filter(({ type }) => type === 'run.continued')
  expect(JSON.stringify(continued)).not.toContain(JSON.stringify(value))
})

test('a value that looks like a reference is the result of a run', async () => {
  const rig = await open()
  const runId = await submit(rig, 'giving_back', forged)
  expect((await ended(rig, runId)).result).toEqual(forged)
  expect((await record(rig, runId)).result).not.toEqual(forged)
})

/** As a disk that lost them, from when `lost` is called. */
function losing(store: Store) {
  let isLost = false
  const get: Store['blobs']['get'] = async (sha256) => (isLost ? undefined : store.blobs.get(sha256))
  return { store: { ...store, blobs: { ...store.blobs, get } }, lose: (is: boolean) => (isLost = is) }
}

test('a run whose history is lost in part is blocked and says why, takes signals, and can be cancelled', async () => {
  const { store, lose } = losing(await openStore({ dataDir: ':memory:' }))
  const rig = await openOn(store)
  const runId = await submit(rig, 'handing_over', null)
  await waiting(rig, runId, 'timer')
  await rig.engine.signal(runId, 'early', large, owner)
  await waiting(rig, runId, 'signal')
  await asleep(rig)
  lose(true)
  await rig.engine.signal(runId, 'other', 1, owner)
  const blocked = await waiting(rig, runId, 'blocked')
  expect(blocked.reason_detail).toMatch(
    /^Its history cannot be read: The blob [0-9a-f]{64} of 80002 bytes is missing/,
  )
  expect(JSON.stringify(await rig.engine.why(runId))).toContain('cannot be read')
  await rig.engine.cancel(runId, 'enough', owner)
  expect(await record(rig, runId)).toMatchObject({ status: 'cancelled' })
})

test('what is under way in a history that is lost in part ends with the cancellation', async () => {
  const { store, lose } = losing(await openStore({ dataDir: ':memory:' }))
  const rig = await openOn(store)
  const runId = await submit(rig, 'gathering', large)
  await waiting(rig, runId, 'waitpoint')
  await asleep(rig)
  lose(true)
  await rig.engine.cancel(runId, 'enough', owner)
  const events = await rig.store.events.ofRun(runId)
  expect(events.slice(-3).map(({ type }) => type)).toEqual([
    ...['run.cancel_requested', 'waitpoint.cancelled', 'run.cancelled'],
  ])
})

test('a run goes on when what was lost is there again', async () => {
  const { store, lose } = losing(await openStore({ dataDir: ':memory:' }))
  const rig = await openOn(store)
  const runId = await submit(rig, 'handing_over', large)
  await waiting(rig, runId, 'signal')
  await asleep(rig)
  lose(true)
  await rig.engine.signal(runId, 'end', null, owner)
  await waiting(rig, runId, 'blocked')
  lose(false)
  await rig.restart()
  expect((await ended(rig, runId)).result).toEqual([large, null])
})

test('an error of a step with millions of characters is cut in every event that names it', async () => {
  const First = async () => {
    const cause = new Error('y'.repeat(5_000_000))
    throw Object.assign(new Error('x'.repeat(5_000_000), { cause }), { retryable: false })
  }
  const rig = await openOn(await openStore({ dataDir: ':memory:' }), { ...plain, First })
  const { id, error } = await ended(rig, await submit(rig, 'gathering', 1))
  expect(error?.message).toMatch(/^x{16000}/)
  expect(JSON.stringify(error).length).toBeLessThan(40_000)
  for (const event of await rig.store.events.ofRun(id))
    expect(JSON.stringify(event).length).toBeLessThan(40_000)
})
