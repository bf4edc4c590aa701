import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { operationsWorkflow } from '../fixtures/operations-catalogue.ts'
import {
  ended,
  gate,
  type OpenRig,
  owner,
  plain,
  record,
  submissionOf,
  submit,
  untilAborted,
  waiting,
} from './rig.ts'

const names = ['limited', 'refusing_more', 'replacing', 'keeping_first', 'sleeping_limited']
const workflows = names.map((name) => operationsWorkflow(name))

export function testConcurrency(open: OpenRig): void {
  /** First steps that wait, each for its own go. */
  const held = () => {
    const doors = new Map<string, ReturnType<typeof gate>>()
    const doorOf = (runId: string) => {
      const door = doors.get(runId) ?? gate()
      doors.set(runId, door)
      return door
    }
    const First: StepFunction = async (input, { runId, signal }) => {
      doorOf(runId).arrive()
      await Promise.race([doorOf(runId).opened, untilAborted(signal)])
      return input
    }
    return { doorOf, steps: { ...plain, First } }
  }

  test('runs of a key take turns in the order they came, also over a restart', async () => {
    const { doorOf, steps } = held()
    const rig = await open({ steps, workflows })
    // A restart knows the order by the milliseconds in their ids.
    const later = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3))
      return submit(rig, 'limited', { place: 'eu' })
    }
    const [first, second, third] = [await later(), await later(), await later()]
    const other = await submit(rig, 'limited', { place: 'us' })
    await Promise.all([doorOf(first).came, doorOf(other).came])
    expect(await waiting(rig, second, 'concurrency')).toMatchObject({
      started_at: null,
      reason_detail: 'One run of limited at a time for eu.',
    })
    expect((await rig.engine.why(third)).waits_for).toMatchObject([
      { kind: 'concurrency', name: 'limited/eu' },
    ])
    expect((await rig.engine.why(third)).waits_for[0]?.detail).toContain(first)
    await rig.restart()
    await waiting(rig, third, 'concurrency')
    for (const runId of [first, second, third]) {
      await doorOf(runId).came
      doorOf(runId).open()
      expect((await ended(rig, runId)).result).toBe('eu')
    }
    const begun = await Promise.all([first, second, third].map((runId) => record(rig, runId)))
    const times = begun.map(({ started_at }) => started_at ?? '')
    expect(times).toEqual(times.toSorted())
    doorOf(other).open()
    await ended(rig, other)
  })

  test('a workflow that refuses more answers so at once, and accepts again afterwards', async () => {
    const { doorOf, steps } = held()
    const rig = await open({ steps, workflows })
    const firstIds = { jobId: rig.newId(), runId: rig.newId() }
    const kept = { principal: owner.id, route: 'POST /jobs', key: firstIds.runId, fingerprint: 'same' }
    const idempotency = { ...kept, status: 201, response: { id: firstIds.jobId }, createdMs: Date.now() }
    const first = await submit(rig, 'refusing_more', null, { ...firstIds, idempotency })
    await doorOf(first).came
    const refused = rig.newId()
    await expect(submit(rig, 'refusing_more', null, { runId: refused })).rejects.toMatchObject({
      code: 'run_concurrency_reached',
    })
    expect(await rig.store.runs.get(refused)).toBeUndefined()
    // The same request again is no other run.
    const again = await rig.engine.submit({ ...submissionOf(rig, 'refusing_more'), idempotency })
    expect(again).toEqual({ replayed: { status: 201, response: { id: firstIds.jobId } } })
    const otherKey = { ...idempotency, key: 'another' }
    await expect(submit(rig, 'refusing_more', null, { idempotency: otherKey })).rejects.toMatchObject({
      code: 'run_concurrency_reached',
    })
    doorOf(first).open()
    await ended(rig, first)
    const next = await submit(rig, 'refusing_more')
    doorOf(next).open()
    expect((await ended(rig, next)).status).toBe('completed')
  })

  test('the oldest run makes room for a newer one, or the newest is cancelled', async () => {
    const { doorOf, steps } = held()
    const rig = await open({ steps, workflows })
    const oldest = await submit(rig, 'replacing')
    await doorOf(oldest).came
    const newer = await submit(rig, 'replacing', 'newer')
    expect((await ended(rig, oldest)).status).toBe('cancelled')
    doorOf(newer).open()
    expect((await ended(rig, newer)).result).toBe('newer')
    const kept = await submit(rig, 'keeping_first', 'kept')
    await doorOf(kept).came
    const late = await submit(rig, 'keeping_first')
    expect(await ended(rig, late)).toMatchObject({ status: 'cancelled', started_at: null })
    doorOf(kept).open()
    expect((await ended(rig, kept)).result).toBe('kept')
  })

  test('a run that sleeps keeps its place, and one that waits for it can be cancelled', async () => {
    const rig = await open({ steps: plain, workflows })
    const sleeper = await submit(rig, 'sleeping_limited', { ms: 60_000 })
    await waiting(rig, sleeper, 'timer')
    await rig.restart()
    const impatient = await submit(rig, 'sleeping_limited', { ms: 1 })
    const next = await submit(rig, 'sleeping_limited', { ms: 1 })
    await waiting(rig, next, 'concurrency')
    await rig.engine.cancel(impatient, 'not needed', owner)
    expect((await ended(rig, impatient)).status).toBe('cancelled')
    await rig.engine.cancel(sleeper, 'not needed', owner)
    expect((await ended(rig, next)).result).toBe('slept')
  })
}
