import type { JobQuery } from '@kyros/contract/job'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CommandOf } from '../command.ts'
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

async function titles(store: Store, query: JobQuery): Promise<string[]> {
  const found: string[] = []
  let cursor: string | undefined
  do {
    const page = await store.jobs.list({ ...query, ...(cursor !== undefined && { cursor }) })
    found.push(...page.items.map((job) => job.title))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found
}

export function testJobs(store: () => Store): void {
  test('a submitted job is there with its run and the numbers of its events', async () => {
    const command = submission({ title: 'One', metadata: { source: 'test' } })
    const written = await store().write(command)
    expect(written).toEqual({ seqs: [2] })
    expect(await store().jobs.get(command.job.id)).toEqual({
      id: command.job.id,
      title: 'One',
      name: 'One',
      task: null,
      agent_id: null,
      workflow: 'code_analysis',
      status: 'pending',
      reason: null,
      reason_detail: null,
      priority: 'medium',
      project_id: projectId,
      run_id: command.run.id,
      attempt: 1,
      created_by: 'user:ada',
      created_at: '2026-01-01T00:00:00.000Z',
      updated_at: '2026-01-01T00:00:00.000Z',
      started_at: null,
      completed_at: null,
      steps_total: 0,
      steps_completed: 0,
      input: { path: '/srv/repository' },
      metadata: { source: 'test' },
      result: null,
      error: null,
    })
    expect(await store().jobs.get(newId())).toBeUndefined()
  })

  test('a job has the status, times and result of its latest run', async () => {
    const { job, run } = await submit(store())
    await append(store(), run.id, started, completed({ score: 7 }))
    const done = await store().jobs.get(job.id)
    expect(done).toMatchObject({
      status: 'completed',
      started_at: '2026-01-01T00:00:01.000Z',
      completed_at: '2026-01-01T00:00:03.000Z',
      result: { score: 7 },
    })
    const again = newRun(job, { attempt: 2 })
    await store().write({ kind: 'retry_job', run: again, events: [runCreated(again)] })
    expect(await store().jobs.get(job.id)).toMatchObject({ status: 'pending', run_id: again.id, attempt: 2 })
    expect((await store().jobs.list({ status: 'completed' })).items).toEqual([])
  })

  test('a retry needs a job whose latest run has ended', async () => {
    const { job, run } = await submit(store())
    const again = newRun(job, { attempt: 2 })
    const retry: CommandOf<'retry_job'> = { kind: 'retry_job', run: again, events: [runCreated(again)] }
    await expectProblem(store().write(retry), 'run_not_ended')
    await append(store(), run.id, { type: 'run.cancelled', timeMs: startMs, data: { reason: 'enough' } })
    await store().write(retry)
    const orphan = newRun({ ...job, id: newId() })
    await expectProblem(
      store().write({ kind: 'retry_job', run: orphan, events: [runCreated(orphan)] }),
      'job_not_found',
    )
  })

  test('deleting a job takes its runs away and leaves its events', async () => {
    const { job, run } = await submit(store())
    await append(store(), run.id, started)
    const deletion = { kind: 'delete_job', jobId: job.id, actor: 'user:ada', timeMs: startMs } as const
    await expectProblem(store().write(deletion), 'job_running')
    await append(store(), run.id, completed(null))
    await store().write({
      kind: 'append_log_lines',
      runId: run.id,
      lines: [{ timeMs: startMs, level: 'info', step: null, attempt: null, message: 'x' }],
    })
    expect(await store().write(deletion)).toEqual({ deleted: true })
    expect(await store().jobs.get(job.id)).toBeUndefined()
    expect(await store().runs.get(run.id)).toBeUndefined()
    expect(await store().logs.list(run.id, { after: 0, limit: 10 })).toEqual([])
    const events = (await store().events.list({ job_id: job.id })).items
    expect(events.map((event) => event.type)).toEqual([
      ...['job.created', 'run.created', 'run.started', 'run.completed', 'job.deleted'],
    ])
    expect(events[1]).toMatchObject({ run_id: run.id, subject: `runs/${run.id}` })
    await expectProblem(store().write(deletion), 'job_not_found')
    await expectProblem(append(store(), run.id, started), 'run_not_found')
    expect((await store().jobs.list({})).total).toBe(0)
  })

  test('a command that the database refuses fails alone, and the others of its batch are stored', async () => {
    const taken = submission()
    await store().write(taken)
    const clash = submission({ id: taken.job.id })
    const outcomes = await Promise.allSettled([
      submit(store()),
      store().write(clash),
      append(store(), taken.run.id, started),
      submit(store()),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    ])
    expect(await store().runs.get(clash.run.id)).toBeUndefined()
    expect((await store().jobs.list({})).total).toBe(3)
    expect(await store().events.head()).toBe(7)
    await append(store(), taken.run.id, completed(null))
    expect(await store().runs.get(taken.run.id)).toMatchObject({ run_seq: 3, last_seq: 8 })
  })

  test('a number of a deleted run is not given again', async () => {
    const first = await submit(store())
    await store().write({ kind: 'delete_job', jobId: first.job.id, actor: 'user:ada', timeMs: startMs })
    const second = await submit(store())
    expect((await store().events.ofRun(first.run.id)).map((event) => event.run_id)).toEqual([first.run.id])
    expect((await store().events.ofRun(second.run.id)).map((event) => event.run_id)).toEqual([second.run.id])
  })

  testJobLists(store)
}

function testJobLists(store: () => Store): void {
  test('jobs are listed newest first, or oldest first when asked', async () => {
    for (const [index, title] of ['a', 'b', 'c'].entries()) {
      await submit(store(), { title, createdMs: startMs + index })
    }
    expect(await titles(store(), { limit: 2 })).toEqual(['c', 'b', 'a'])
    expect(await titles(store(), { limit: 2, sort: 'created_at' })).toEqual(['a', 'b', 'c'])
    expect((await store().jobs.list({})).total).toBe(3)
  })

  test('a list is narrowed by status, agent, project, workflow and time', async () => {
    const other = newId()
    const { run } = await submit(store(), { title: 'a', agentId: 'coder' })
    await submit(store(), { title: 'b', workflow: null, createdMs: startMs + 1 })
    await submit(store(), { title: 'c', projectId: other, createdMs: startMs + 2 })
    await append(store(), run.id, waiting('agent_missing'))
    expect(await titles(store(), { status: 'waiting' })).toEqual(['a'])
    expect(await titles(store(), { agent_id: 'coder' })).toEqual(['a'])
    expect(await titles(store(), { project_id: other })).toEqual(['c'])
    expect(await titles(store(), { workflow: 'code_analysis' })).toEqual(['c', 'a'])
    expect(await titles(store(), { created_after: new Date(startMs).toISOString() })).toEqual(['c', 'b'])
    expect((await store().jobs.list({ status: 'waiting' })).total).toBe(1)
    expect((await store().jobs.list({ status: 'failed' })).total).toBe(0)
    expect((await store().jobs.list({ workflow: 'code_analysis' })).total).toBe(2)
  })

  test('a search finds every word in title or task, in any case, and takes wildcards as they are', async () => {
    await submit(store(), { title: 'Fix the Login page', task: 'the button is 100% broken' })
    await submit(store(), { title: 'Fix the door', createdMs: startMs + 1 })
    await submit(store(), { title: 'ÜBERSICHT prüfen', createdMs: startMs + 2 })
    expect(await titles(store(), { q: 'login FIX' })).toEqual(['Fix the Login page'])
    expect(await titles(store(), { q: 'fix' })).toEqual(['Fix the door', 'Fix the Login page'])
    expect(await titles(store(), { q: '100%' })).toEqual(['Fix the Login page'])
    expect(await titles(store(), { q: '%' })).toEqual(['Fix the Login page'])
    expect(await titles(store(), { q: '_' })).toEqual([])
    expect(await titles(store(), { q: 'übersicht' })).toEqual(['ÜBERSICHT prüfen'])
    expect(await titles(store(), { q: "' OR 1=1 --" })).toEqual([])
    expect(await titles(store(), { q: ' ' })).toHaveLength(3)
    expect((await store().jobs.list({ q: 'fix' })).total).toBe(2)
  })

  test('a cursor that was not given out is refused', async () => {
    for (const cursor of ['x', 'bnVsbA', Buffer.from('[1,2]').toString('base64url'), '']) {
      await expectProblem(store().jobs.list({ cursor }), 'cursor_invalid')
      await expectProblem(store().runs.list({ cursor }), 'cursor_invalid')
    }
    const outside = Buffer.from('[1.5,"a"]').toString('base64url')
    await expectProblem(store().jobs.list({ cursor: outside }), 'cursor_invalid')
    const longer = Buffer.from('[1,"a",2]').toString('base64url')
    await expectProblem(store().jobs.list({ cursor: longer }), 'cursor_invalid')
  })

  test('paging shows every job once, also while new ones come in', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 5 }), async (offsets, limit) => {
        const agentId = newId()
        await Promise.all(
          offsets.map((offset, index) =>
            submit(store(), { agentId, title: String(index), createdMs: startMs + offset }),
          ),
        )
        const seen: string[] = []
        let cursor: string | undefined
        do {
          const page = await store().jobs.list({
            ...{ agent_id: agentId, limit },
            ...(cursor !== undefined && { cursor }),
          })
          expect(page.items.length).toBeLessThanOrEqual(limit)
          seen.push(...page.items.map((job) => job.title))
          cursor = page.nextCursor ?? undefined
          await submit(store(), { agentId, title: 'late', createdMs: startMs + 1_000_000 })
        } while (cursor !== undefined)
        expect(seen.toSorted()).toEqual(offsets.map((_, index) => String(index)).toSorted())
      }),
      { numRuns: 10 },
    )
  })
}
