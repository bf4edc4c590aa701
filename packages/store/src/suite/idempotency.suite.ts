import { expect, test } from 'vitest'
import type { Store } from '../store.ts'
import {
  append,
  completed,
  expectProblem,
  keyed,
  newRun,
  runCreated,
  startMs,
  submission,
  submit,
} from './rig.ts'

const dayMs = 24 * 60 * 60 * 1000

export function testIdempotency(store: () => Store): void {
  test('the same key and request get the first answer and make nothing twice', async () => {
    const answers = await Promise.all([
      store().write(submission({}, keyed('k', 'same'))),
      store().write(submission({}, keyed('k', 'same'))),
    ])
    const later = await store().write(submission({}, keyed('k', 'same')))
    expect(answers[0]).toHaveProperty('seqs')
    const replayed = { replayed: { status: 201, response: { answered: 'same' } } }
    expect([answers[1], later]).toEqual([replayed, replayed])
    expect((await store().jobs.list({})).total).toBe(1)
  })

  test('another request under the same key is refused', async () => {
    await store().write(submission({}, keyed('k', 'one')))
    await expectProblem(store().write(submission({}, keyed('k', 'two'))), 'idempotency_key_reused')
    const otherRoute = { ...keyed('k', 'two'), route: 'POST /elsewhere' }
    const otherPerson = { ...keyed('k', 'two'), principal: 'user:eve' }
    await store().write(submission({}, otherRoute))
    await store().write(submission({}, otherPerson))
    expect((await store().jobs.list({})).total).toBe(3)
  })

  test('a key is free again after a day, and old ones are dropped', async () => {
    await store().write(submission({}, keyed('k', 'one')))
    await store().write(submission({}, keyed('other', 'one')))
    const nextDay = keyed('k', 'two', startMs + dayMs)
    expect(await store().write(submission({}, nextDay))).toHaveProperty('seqs')
    await expectProblem(
      store().write(submission({}, keyed('k', 'one', startMs + dayMs))),
      'idempotency_key_reused',
    )
    const other = keyed('other', 'two', startMs + dayMs)
    expect(await store().write(submission({}, other))).toHaveProperty('seqs')
  })

  test('retries and events take a key too', async () => {
    const { job, run } = await submit(store())
    await append(store(), run.id, completed(null))
    const retry = () => {
      const again = newRun(job, { attempt: 2 })
      return store().write({
        kind: 'retry_job',
        run: again,
        events: [runCreated(again)],
        idempotency: keyed('r', 'retry'),
      })
    }
    expect(await retry()).toHaveProperty('seqs')
    expect(await retry()).toHaveProperty('replayed')
    const emit = () =>
      store().write({
        kind: 'append_event',
        event: { type: 'tick', subject: 'clock', timeMs: startMs, data: {} },
        idempotency: keyed('e', 'event'),
      })
    expect(await emit()).toHaveProperty('seq')
    expect(await emit()).toHaveProperty('replayed')
  })
}
