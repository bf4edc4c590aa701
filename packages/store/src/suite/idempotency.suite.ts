import { eventId } from '@kyros/contract/id'
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

  test('the kept answer to an event has the number of that very event', async () => {
    const event = { type: 'tick', subject: 'clock', timeMs: startMs, data: {} }
    const emit = (key: string) =>
      store().write({ kind: 'append_event', event, idempotency: keyed(key, 'same') })
    const keys = Array.from({ length: 20 }, (_, index) => `k${index % 10}`)
    const written = await Promise.all([...keys.map(emit), submit(store()), ...keys.map(emit)])
    const numbers = new Map<string, number>()
    for (const [index, key] of keys.slice(0, 10).entries()) {
      const first = written[index]
      if (first === undefined || !('seq' in first)) throw new Error('the first of a key is written')
      numbers.set(key, first.seq)
    }
    expect(new Set(numbers.values()).size).toBe(10)
    for (const [key, seq] of numbers) {
      const response = { id: eventId(startMs, seq), seq, answered: 'same' }
      expect(await emit(key)).toEqual({ replayed: { status: 201, response } })
      const inOneBatch = written[10 + keys.indexOf(key)]
      expect(inOneBatch).toEqual({ replayed: { status: 201, response } })
    }
    expect((await store().events.list({ type: 'tick' })).items).toHaveLength(10)
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
