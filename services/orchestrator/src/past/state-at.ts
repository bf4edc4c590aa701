import type { Job } from '@kyros/contract/job'
import type { RunSummary } from '@kyros/contract/run'
import { blankRun, foldIntoState } from '@kyros/contract/run-state'
import type { Store } from '@kyros/store/store'
import { readFoldable } from './read-run-events.ts'

/** How many events may still be folded for one answer; the item that reaches the limit is finished. */
export type FoldBudget = { events: number }

const unlimited = (): FoldBudget => ({ events: Number.POSITIVE_INFINITY })

type Past = RunSummary & { result?: unknown; updated_at: string }

/** A run as a list shows it, after the event `untilSeq`; undefined when there was none yet. */
export async function runAt(
  store: Store,
  run: RunSummary,
  untilSeq: number,
  budget: FoldBudget = unlimited(),
): Promise<Past | undefined> {
  const { steps: _1, input: _2, result: _3, ...blank } = blankRun({ ...run, input: null })
  const state: RunSummary & { result?: unknown } = blank
  let updatedAt: string | undefined
  for await (const page of readFoldable(store, run.id, { seq: untilSeq })) {
    budget.events -= page.length
    for (const event of page) {
      if (event.type === 'run.created') {
        // What an upgrade changed later.
        state.definition = event.data.definition
        state.version = event.data.version
      }
      foldIntoState(state, event)
      updatedAt = event.time
    }
  }
  return updatedAt === undefined ? undefined : { ...state, updated_at: updatedAt }
}

const runsAtOnce = 200

/** A job with its latest run of that moment; undefined when there was none yet. */
export async function jobAt(
  store: Store,
  job: Job,
  untilSeq: number,
  budget: FoldBudget = unlimited(),
): Promise<Job | undefined> {
  const latest = await store.runs.get(job.run_id)
  if (latest === undefined) return undefined
  if (latest.last_seq <= untilSeq) return job
  const past = await runAt(store, latest, untilSeq, budget)
  if (past !== undefined) return withRun(job, past)
  return job.attempt === 1 ? undefined : earlierRun(store, job, untilSeq, budget)
}

async function earlierRun(
  store: Store,
  job: Job,
  untilSeq: number,
  budget: FoldBudget,
): Promise<Job | undefined> {
  let cursor: string | undefined
  do {
    const query = { job_id: job.id, limit: runsAtOnce, ...(cursor !== undefined && { cursor }) }
    const { items, nextCursor } = await store.runs.list(query)
    for (const run of items) {
      if (run.id === job.run_id) continue
      const past = await runAt(store, run, untilSeq, budget)
      if (past !== undefined) return withRun(job, past)
    }
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return undefined
}

function withRun(job: Job, run: Past): Job {
  return {
    ...job,
    status: run.status,
    reason: run.reason,
    reason_detail: run.reason_detail,
    run_id: run.id,
    attempt: run.attempt,
    updated_at: run.updated_at,
    started_at: run.started_at,
    completed_at: run.completed_at,
    steps_total: run.steps_total,
    steps_completed: run.steps_completed,
    result: run.result ?? null,
    error: run.error,
  }
}
