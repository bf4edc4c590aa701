import { setTimeout as delay } from 'node:timers/promises'
import { isRunEvent } from '@kyros/contract/event'
import { applyToState, emptyRunState, type RunState } from '@kyros/contract/run-state'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CommandOf, EngineFenced, type NewRunEvent, RunConflict } from '../command.ts'
import type { Store } from '../store.ts'
import {
  append,
  completed,
  expectProblem,
  newId,
  newRun,
  projectId,
  runCreated,
  started,
  startMs,
  submission,
  submit,
  waiting,
} from './rig.ts'

const step = { step: 'Scan', key: 'Scan#1', command: 1 }

/** Any event that a run may have, in any order: the projection must be the fold, whatever comes. */
const anyEvent: fc.Arbitrary<NewRunEvent> = fc.oneof(
  fc.constant(started),
  fc.constant(waiting('timer')),
  fc.constant<NewRunEvent>({ type: 'run.resumed', timeMs: startMs + 2_000, data: {} }),
  fc.json({ maxDepth: 1 }).map((result) => completed(JSON.parse(result))),
  fc.string().map(
    (message): NewRunEvent => ({
      type: 'run.failed',
      timeMs: startMs + 4_000,
      data: { reason: 'step_failed', error: { code: 'broken', message: message.replaceAll('\0', '') } },
    }),
  ),
  fc.constant<NewRunEvent>({
    type: 'step.scheduled',
    timeMs: startMs,
    data: { ...step, input: null, max_attempts: 3 },
  }),
  fc.constant<NewRunEvent>({
    type: 'step.completed',
    timeMs: startMs,
    data: { ...step, attempt: 1, output: { found: 3 } },
  }),
  fc.constant<NewRunEvent>({ type: 'run.cancel_requested', timeMs: startMs, data: { reason: 'stop' } }),
)

export function testRuns(store: () => Store): void {
  test('a run is read with its input, its result and who asked for it', async () => {
    const { job, run } = await submit(store(), { title: 'Named' })
    await append(store(), run.id, started, completed([1, { two: 2 }]))
    const { input: _input, ...found } = { ...(await store().runs.get(run.id)) }
    expect(found).toEqual({
      ...{ id: run.id, run_id: run.id, workflow_id: run.id, job_id: job.id, project_id: projectId },
      ...{ name: 'Named', type: 'code_analysis', version: '1', definition: 'd'.repeat(64) },
      ...{ status: 'completed', reason: null, reason_detail: null, waiting_until: null },
      ...{ cancel_requested: false, priority: 'medium', attempt: 1, max_retries: 3, timeout_seconds: 3600 },
      created_by: 'user:ada',
      created_by_role: 'operator',
      created_at: '2026-01-01T00:00:00.000Z',
      started_at: '2026-01-01T00:00:01.000Z',
      completed_at: '2026-01-01T00:00:03.000Z',
      ...{ last_seq: 4, run_seq: 3, steps_total: 0, steps_completed: 0, error: null },
      result: [1, { two: 2 }],
    })
    expect(await store().runs.get(newId())).toBeUndefined()
  })

  test('a run keeps an input of its own beside the one of its job', async () => {
    const { job, run } = await submit(store())
    await append(store(), run.id, completed(null))
    const again = newRun(job, { input: { path: '/elsewhere' }, attempt: 2 })
    await store().write({ kind: 'retry_job', run: again, events: [runCreated(again)] })
    expect((await store().runs.get(run.id))?.input).toEqual({ path: '/srv/repository' })
    expect((await store().runs.get(again.id))?.input).toEqual({ path: '/elsewhere' })
  })

  test('what a run shows is the fold of its events, however they were batched', async () => {
    const batches = fc.array(fc.array(anyEvent, { maxLength: 4 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(batches, async (parts) => {
        const { run } = await submit(store())
        await Promise.all(parts.map((events) => append(store(), run.id, ...events)))
        const events = await store().events.ofRun(run.id)
        let folded: RunState = emptyRunState
        for (const event of events) if (isRunEvent(event)) folded = applyToState(folded, event)
        expect(await store().runs.get(run.id)).toMatchObject(folded)
        expect(events.map((event) => event.run_seq)).toEqual(events.map((_, index) => index + 1))
        expect(await store().events.ofRun(run.id, 1, 2)).toEqual(events.slice(1, 3))
        const seqs = events.map((event) => event.seq)
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
      }),
      { numRuns: 15 },
    )
  })

  test('an append answers with its numbers', async () => {
    const { run } = await submit(store())
    const [first, second, none] = await Promise.all([
      append(store(), run.id, started, waiting('signal')),
      append(store(), run.id, completed('done')),
      append(store(), run.id),
    ])
    expect([first, second, none]).toEqual([{ seqs: [3, 4] }, { seqs: [5] }, { seqs: [] }])
    expect((await store().runs.get(run.id))?.result).toBe('done')
    await append(store(), run.id)
    expect((await store().runs.get(run.id))?.result).toBe('done')
  })

  test('of two appends that expect the same place one is told who came first', async () => {
    const { run } = await submit(store())
    const write = () =>
      store().write({ kind: 'append_run_events', runId: run.id, events: [started], expectedRunSeq: 1 })
    const outcomes = await Promise.allSettled([write(), write(), submit(store())])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const conflict = await write().catch((error: unknown) => error)
    expect(conflict).toBeInstanceOf(RunConflict)
    expect(conflict).toMatchObject({ runId: run.id, actualRunSeq: 2 })
  })

  test('what must not change an ended run is refused', async () => {
    const { run } = await submit(store())
    await append(store(), run.id, completed(null))
    const late: CommandOf<'append_run_events'> = {
      ...{ kind: 'append_run_events', runId: run.id, events: [started], unlessEnded: true },
    }
    await expectProblem(store().write(late), 'run_ended')
    await expectProblem(store().write({ ...late, runId: newId() }), 'run_not_found')
  })

  testRunLists(store)
  testLease(store)
}

function testRunLists(store: () => Store): void {
  test('runs are narrowed by job, project, status, type, person, time and words', async () => {
    const { job, run } = await submit(store(), { title: 'Find me', createdBy: 'user:eve' })
    await submit(store(), { title: 'other', workflow: 'other', createdMs: startMs + 10 })
    await append(store(), run.id, started)
    const ids = async (query: Parameters<Store['runs']['list']>[0]) =>
      (await store().runs.list(query)).items.map((item) => item.id)
    expect(await ids({})).toHaveLength(2)
    expect(await ids({ job_id: job.id })).toEqual([run.id])
    expect(await ids({ status: 'running' })).toEqual([run.id])
    expect(await ids({ type: 'code_analysis' })).toEqual([run.id])
    expect(await ids({ created_by: 'user:eve' })).toEqual([run.id])
    expect(await ids({ end_date: new Date(startMs + 5).toISOString() })).toEqual([run.id])
    expect(await ids({ start_date: new Date(startMs + 5).toISOString() })).not.toContain(run.id)
    expect(await ids({ project_id: newId() })).toEqual([])
    expect(await ids({ q: 'find' })).toEqual([run.id])
    expect(await store().runs.list({ status: 'running' })).toMatchObject({ total: 1, nextCursor: null })
    expect((await store().runs.list({ q: 'find' })).total).toBe(1)
  })

  test('runs are found by their attributes, whatever kind of value those have', async () => {
    const { run } = await submit(store())
    const attributes = { 'customer "one"': 'Größe=a', tries: 3, urgent: true }
    await append(store(), run.id, {
      type: 'attributes.set',
      timeMs: startMs,
      data: { command: 1, attributes },
    })
    const other = {
      type: 'attributes.set',
      timeMs: startMs,
      data: { command: 1, attributes: { tries: '3' } },
    } as const
    const second = await submit(store())
    await append(store(), second.run.id, other)
    const found = async (...attribute: string[]) =>
      (await store().runs.list({ attribute })).items.map(({ id }) => id)
    expect(await found('customer "one"=Größe=a')).toEqual([run.id])
    expect((await found('tries=3')).toSorted()).toEqual([run.id, second.run.id].toSorted())
    expect(await found('tries=3', 'urgent=true')).toEqual([run.id])
    expect(await found('tries=4')).toEqual([])
    expect(await found('unheard=3')).toEqual([])
  })

  test('runs come newest first, a page at a time', async () => {
    const made = []
    for (let index = 0; index < 5; index++) made.push(await submit(store(), { createdMs: startMs + index }))
    const first = await store().runs.list({ limit: 3 })
    const second = await store().runs.list({ limit: 3, cursor: first.nextCursor ?? '' })
    expect([...first.items, ...second.items].map((run) => run.id)).toEqual(
      made.map(({ run }) => run.id).toReversed(),
    )
    expect(second.nextCursor).toBeNull()
  })

  test('unfinished runs come in the order of their ids, and ended ones do not', async () => {
    const made = []
    for (let index = 0; index < 5; index++) made.push(await submit(store(), { createdMs: startMs + index }))
    const ids = made.map(({ run }) => run.id).toSorted()
    const [ended, ...rest] = ids
    await append(store(), ended ?? '', completed(null))
    const first = await store().runs.unfinished(undefined, 3)
    const second = await store().runs.unfinished(first.at(-1)?.id, 3)
    expect([...first, ...second].map((run) => run.id)).toEqual(rest)
    expect(first[0]?.input).toEqual({ path: '/srv/repository' })
  })
}

function testLease(store: () => Store): void {
  const acquire = (holder: string, ttlMs = 60_000) =>
    store().write({ kind: 'acquire_engine_lease', holder, timeMs: Date.now(), ttlMs })
  const over = () => delay(30)

  test('one holds the engine lease, and who takes it over gets a higher epoch', async () => {
    expect(await acquire('a')).toEqual({ held: true, epoch: 1 })
    const refused = await acquire('b')
    expect(refused).toMatchObject({ held: false, holder: 'a' })
    if (refused.held) return
    expect(refused.leftMs).toBeGreaterThan(50_000)
    expect(refused.leftMs).toBeLessThanOrEqual(60_000)
    expect(await acquire('a', 10)).toEqual({ held: true, epoch: 1 })
    await over()
    expect(await acquire('b')).toEqual({ held: true, epoch: 2 })
    await store().write({ kind: 'release_engine_lease', holder: 'a' })
    expect(await acquire('a')).toMatchObject({ held: false, holder: 'b' })
    await store().write({ kind: 'release_engine_lease', holder: 'b' })
    expect(await acquire('a')).toEqual({ held: true, epoch: 3 })
  })

  test('an append or a start under an epoch that has passed is fenced, and the others of its batch are not', async () => {
    const { run } = await submit(store())
    await acquire('a', 10)
    const write = (epoch: number) =>
      store().write({ kind: 'append_run_events', runId: run.id, events: [started], epoch })
    await write(1)
    await over()
    await acquire('b')
    const [old, current] = await Promise.allSettled([write(1), write(2)])
    expect(old).toMatchObject({ status: 'rejected', reason: expect.any(EngineFenced) })
    expect(current.status).toBe('fulfilled')
    const begun = (epoch: number) => store().write({ ...submission(), epoch })
    const [late, inTime] = await Promise.allSettled([begun(1), begun(2)])
    expect(late).toMatchObject({ status: 'rejected', reason: expect.any(EngineFenced) })
    expect(inTime.status).toBe('fulfilled')
  })
}
