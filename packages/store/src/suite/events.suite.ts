import { eventId } from '@kyros/contract/id'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NewRunEvent } from '../command.ts'
import type { FollowBatch, FollowOptions, Store } from '../store.ts'
import { append, collect, completed, newId, readLog, started, startMs, submit } from './rig.ts'

const scheduled: NewRunEvent = {
  type: 'step.scheduled',
  timeMs: startMs,
  data: { step: 'Scan', key: 'Scan#1', command: 1, input: null, max_attempts: 3 },
}

function emit(store: Store, type: string, subject: string, jobId?: string) {
  const event = { type, subject, timeMs: startMs, data: { type }, ...(jobId !== undefined && { jobId }) }
  return store.write({ kind: 'append_event', event })
}

export function testEvents(store: () => Store): void {
  test('an event is kept as it was said, with an id that follows from its number', async () => {
    expect(await store().events.head()).toBe(0)
    const event = {
      type: 'deploy.done',
      subject: 'site',
      actor: 'user:ada',
      timeMs: startMs,
      data: { ok: true },
    }
    expect(await store().write({ kind: 'append_event', event })).toEqual({ seq: 1 })
    expect((await store().events.list({})).items).toEqual([
      {
        id: eventId(startMs, 1),
        seq: 1,
        type: 'deploy.done',
        subject: 'site',
        actor: 'user:ada',
        time: '2026-01-01T00:00:00.000Z',
        data: { ok: true },
      },
    ])
    expect(await store().events.head()).toBe(1)
  })

  test('the log is dense and in the order of commits, whatever is written at the same time', async () => {
    const { run } = await submit(store())
    await Promise.all([
      ...Array.from({ length: 30 }, (_, index) => emit(store(), 'tick', `s/${index}`)),
      ...Array.from({ length: 10 }, () => submit(store())),
      append(store(), run.id, started),
      store()
        .write({ kind: 'append_run_events', runId: newId(), events: [started] })
        .catch(() => {}),
      emit(store(), 'tick', 'last'),
    ])
    const log = await readLog(store())
    expect(log.map((event) => event.seq)).toEqual(Array.from({ length: 2 + 30 + 20 + 2 }, (_, i) => i + 1))
    expect(log.at(-1)?.subject).toBe('last')
  })

  test('events are found by type, subject, job and run', async () => {
    const { job, run } = await submit(store())
    await emit(store(), 'note', `jobs/${job.id}`, job.id)
    await emit(store(), 'note', 'elsewhere', job.id)
    await emit(store(), 'note', `runs/${run.id}`)
    await submit(store())
    const types = async (query: Parameters<Store['events']['list']>[0]) =>
      (await store().events.list(query)).items.map((event) => event.type)
    expect(await types({ type: 'note' })).toEqual(['note', 'note', 'note'])
    expect(await types({ subject: `jobs/${job.id}` })).toEqual(['job.created', 'note'])
    expect(await types({ subject: 'elsewhere' })).toEqual(['note'])
    expect(await types({ subject: `runs/${run.id}` })).toEqual(['run.created', 'note'])
    expect(await types({ job_id: job.id })).toEqual(['job.created', 'run.created', 'note', 'note'])
    expect(await types({ run_id: run.id })).toEqual(['run.created'])
    expect(await types({ run_id: newId() })).toEqual([])
    expect(await store().events.ofRun(run.id, 1)).toEqual([])
    expect(await store().events.ofRun(newId())).toEqual([])
  })

  test('a page of events ends where it is told, in either direction', async () => {
    for (let index = 0; index < 6; index++) await emit(store(), 'tick', 'clock')
    const seqs = async (query: Parameters<Store['events']['list']>[0]) => {
      const page = await store().events.list(query)
      return { seqs: page.items.map((event) => event.seq), next: page.nextCursor ?? undefined }
    }
    const first = await seqs({ after: 1, before: 6, limit: 3 })
    expect(first.seqs).toEqual([2, 3, 4])
    expect(await seqs({ after: 1, before: 6, limit: 3, cursor: first.next ?? '' })).toEqual({
      seqs: [5],
      next: undefined,
    })
    const newest = await seqs({ before: 7, limit: 4 })
    expect(newest.seqs).toEqual([3, 4, 5, 6])
    expect((await seqs({ before: 7, limit: 4, cursor: newest.next ?? '' })).seqs).toEqual([1, 2])
  })

  test('a page begins and ends anywhere, also between facts that were written together', async () => {
    const [one, two] = [await submit(store()), await submit(store())]
    await append(store(), one.run.id, started, scheduled, completed(1))
    await emit(store(), 'note', `jobs/${one.job.id}`, one.job.id)
    await append(store(), two.run.id, started, scheduled)
    await append(store(), two.run.id, completed('"run.started"'))
    const all = await readLog(store())
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1))
    const filters = [
      {},
      { run_id: two.run.id },
      { job_id: one.job.id },
      { subject: `jobs/${one.job.id}` },
      { subject: `runs/${two.run.id}`, type: 'run.completed' },
      { type: 'run.started' },
      { type: 'job.created' },
    ]
    for (const filter of filters) {
      const wanted = all.filter(
        (event) =>
          (filter.run_id === undefined || event.run_id === filter.run_id) &&
          (filter.job_id === undefined || event.job_id === filter.job_id) &&
          (filter.subject === undefined || event.subject === filter.subject) &&
          (filter.type === undefined || event.type === filter.type),
      )
      for (let at = 0; at <= all.length + 1; at++) {
        const above = wanted.filter(({ seq }) => seq > at)
        expect((await store().events.list({ ...filter, after: at, limit: 3 })).items).toEqual(
          above.slice(0, 3),
        )
        const below = wanted.filter(({ seq }) => seq < Math.max(at, 1))
        const page = await store().events.list({ ...filter, before: Math.max(at, 1), limit: 3 })
        expect(page.items).toEqual(below.slice(-3))
        expect(page.nextCursor === null).toBe(below.length <= 3)
      }
    }
  })

  testFollowing(store)
}

function testFollowing(store: () => Store): void {
  test('a reader that follows sees every event once, whenever it starts and whatever it asks for', async () => {
    const counts = fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 }), fc.nat({ max: 10 }))
    await fc.assert(
      fc.asyncProperty(counts, async ([before, during, skipped]) => {
        const subject = newId()
        const base = await store().events.head()
        const filters: Partial<FollowOptions>[] = [{}, { subject }, { type: 'tick' }]
        for (let index = 0; index < before; index++) await emit(store(), 'tick', subject)
        const after = base + Math.min(skipped, before)
        const expected = before + during - (after - base)
        const readers = filters.map((filter) => collect(store(), { after, ...filter }, expected))
        await Promise.all(Array.from({ length: during }, () => emit(store(), 'tick', subject)))
        const wanted = Array.from({ length: expected }, (_, index) => after + index + 1)
        if (expected > 0) {
          for (const events of await Promise.all(readers)) {
            expect(events.map((event) => event.seq)).toEqual(wanted)
          }
        } else await emit(store(), 'tick', subject)
        await Promise.all(readers)
      }),
      { numRuns: 8 },
    )
  })

  test('a reader of one run or job sees that one alone', async () => {
    const { job, run } = await submit(store())
    const ofRun = collect(store(), { after: 0, runId: run.id }, 3)
    const ofJob = collect(store(), { after: 0, jobId: job.id }, 4)
    const other = await submit(store())
    await append(store(), other.run.id, started, completed(null))
    await append(store(), run.id, started)
    await append(store(), run.id, completed(null))
    const types = ['run.created', 'run.started', 'run.completed']
    expect((await ofRun).map((event) => event.type)).toEqual(types)
    expect((await ofJob).map((event) => event.type)).toEqual(['job.created', ...types])
  })

  test('a reader far behind catches up in pages', async () => {
    await Promise.all(Array.from({ length: 2_600 }, (_, index) => emit(store(), 'tick', `s/${index % 3}`)))
    const all = await collect(store(), { after: 0 }, 2_600)
    expect(all.map((event) => event.seq)).toEqual(Array.from({ length: 2_600 }, (_, index) => index + 1))
    const third = await collect(store(), { after: 0, subject: 's/0' }, 867)
    expect(third).toHaveLength(867)
  })

  test('a reader ahead of the log is told where the log is', async () => {
    await emit(store(), 'tick', 'clock')
    const stop = new AbortController()
    const batches: FollowBatch[] = []
    for await (const batch of store().events.follow({ after: 99 }, stop.signal)) {
      batches.push(batch)
      if (batches.length === 1) await emit(store(), 'tick', 'clock')
      else stop.abort()
    }
    expect(batches).toMatchObject([{ reset: { from: 2 } }, { events: [{ seq: 2 }] }])
  })

  test('following ends when it is told to, and when the store closes', async () => {
    const stop = new AbortController()
    const waiting = collectUntilEnd(store(), stop.signal)
    const other = collectUntilEnd(store(), new AbortController().signal)
    stop.abort()
    expect(await waiting).toEqual([])
    await store().close()
    expect(await other).toEqual([])
  })
}

async function collectUntilEnd(store: Store, signal: AbortSignal): Promise<FollowBatch[]> {
  const batches: FollowBatch[] = []
  for await (const batch of store.events.follow({ after: 0 }, signal)) batches.push(batch)
  return batches
}
