import { expect, test } from 'vitest'
import { EngineFenced, type RunAppend, RunConflict } from '../command.ts'
import type { Store } from '../store.ts'
import { append, completed, newId, started, startMs, submit, waiting } from './rig.ts'

/** What is written and read for many runs at once. */
export function testMany(store: () => Store): void {
  const many = (appends: RunAppend[], epoch?: number) =>
    store().write({ kind: 'append_many', appends, ...(epoch !== undefined && { epoch }) })

  test('appends to many runs share a call, and each succeeds or fails alone', async () => {
    const [one, two, ended] = [await submit(store()), await submit(store()), await submit(store())]
    await append(store(), ended.run.id, completed(null))
    const outcomes = await many([
      { runId: one.run.id, events: [started, waiting('signal')], expectedRunSeq: 1 },
      { runId: newId(), events: [started] },
      { runId: two.run.id, events: [started], expectedRunSeq: 7 },
      { runId: ended.run.id, events: [started], unlessEnded: true },
      { runId: two.run.id, events: [] },
      { runId: two.run.id, events: [started], expectedRunSeq: 1 },
      { runId: two.run.id, events: [completed(1)], expectedRunSeq: 2 },
    ])
    expect(outcomes).toMatchObject([
      { firstSeq: 8 },
      { error: { code: 'run_not_found' } },
      { error: expect.any(RunConflict) },
      { error: { code: 'run_ended' } },
      { firstSeq: 0 },
      { firstSeq: 10 },
      { firstSeq: 11 },
    ])
    expect(await store().runs.get(one.run.id)).toMatchObject({ status: 'waiting', last_seq: 9, run_seq: 3 })
    expect(await store().runs.get(two.run.id)).toMatchObject({ status: 'completed', last_seq: 11, result: 1 })
    expect(await store().events.head()).toBe(11)
    expect(await many([])).toEqual([])
  })

  test('under an epoch that has passed every one of many appends is fenced', async () => {
    const { run } = await submit(store())
    await store().write({ kind: 'acquire_engine_lease', holder: 'a', timeMs: Date.now(), ttlMs: 10_000 })
    const outcomes = await many([{ runId: run.id, events: [started] }], 7)
    expect(outcomes).toEqual([{ error: expect.any(EngineFenced) }])
    expect(await many([{ runId: run.id, events: [started] }], 1)).toEqual([{ firstSeq: 3 }])
  })

  test('the records of many runs are read at once, without those that do not exist', async () => {
    const [one, two] = [await submit(store()), await submit(store())]
    await append(store(), two.run.id, started)
    const found = await store().runs.many([two.run.id, newId(), one.run.id])
    const statuses = new Map(found.map(({ id, status }) => [id, status]))
    expect(statuses).toEqual(
      new Map([
        [one.run.id, 'pending'],
        [two.run.id, 'running'],
      ]),
    )
    expect(await store().runs.many([])).toEqual([])
  })

  test('the histories of many runs are read at once, each from where it last began anew', async () => {
    const [plain, looping] = [await submit(store()), await submit(store())]
    await append(store(), plain.run.id, started)
    const data = { input: 2, definition: 'e'.repeat(64), version: '2', carried: [] }
    const continued = { type: 'run.continued', timeMs: startMs + 5, data } as const
    await append(store(), looping.run.id, started, continued, started)
    await append(store(), looping.run.id, waiting('signal'), continued, started)
    await append(store(), looping.run.id, waiting('timer'))
    const found = await store().runs.histories([looping.run.id, newId(), plain.run.id])
    const types = (id: string) => found.get(id)?.map(({ type, run_seq }) => [run_seq, type])
    expect(found.size).toBe(2)
    expect(types(plain.run.id)).toEqual([
      [1, 'run.created'],
      [2, 'run.started'],
    ])
    expect(types(looping.run.id)).toEqual([
      [6, 'run.continued'],
      [7, 'run.started'],
      [8, 'run.waiting'],
    ])
    const past = async (id: string, after = 0) =>
      (await store().events.ofRun(id, after)).map(({ type, time, data, actor, run_seq }) => {
        return { type, timeMs: Date.parse(time), data, actor, run_seq }
      })
    expect(found.get(plain.run.id)).toEqual(await past(plain.run.id))
    expect(found.get(looping.run.id)).toEqual(await past(looping.run.id, 5))
  })
}
