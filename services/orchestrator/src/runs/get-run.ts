import { maxStepsShown } from '@kyros/contract/as-of'
import type { RunEvent } from '@kyros/contract/event'
import { problem } from '@kyros/contract/problem'
import type { Run } from '@kyros/contract/run'
import { blankRun, foldIntoState, foldRun } from '@kyros/contract/run-state'
import type { RunRecord, Store } from '@kyros/store/store'
import { readFoldable } from '../past/read-run-events.ts'
import { withPayloads } from './read-payload.ts'

/** @throws run_not_found */
export async function getRunRecord(store: Store, id: string): Promise<RunRecord> {
  const record = await store.runs.get(id)
  if (record === undefined) {
    throw problem('run_not_found', {
      detail: `There is no run ${id}, or its job was deleted. GET /api/v1/workflows lists the runs there are.`,
    })
  }
  return record
}

/** How many of its last events the steps of a run are folded from: enough for the steps that are shown. */
const maxFoldedEvents = 10_000

/**
 * The run with its steps and attempts, as it is or as it was after the event `untilSeq`. Of a run with more steps than
 * an answer holds the latest are shown, and how many are left out. @throws run_not_found
 */
export async function getRun(store: Store, id: string, untilSeq?: number): Promise<Run> {
  const record = await getRunRecord(store, id)
  const isPast = untilSeq !== undefined && record.last_seq > untilSeq
  const run = isPast ? await foldPast(store, record, untilSeq) : await foldPresent(store, record)
  return withPayloads(store, run)
}

/** What is fixed comes from the record, what moves from the events, up to what the record knows of. */
export async function foldPresent(store: Store, record: RunRecord): Promise<Run> {
  const { created_by_role: _internal, ...known } = record
  const after = Math.max(0, record.run_seq - maxFoldedEvents)
  const tail: RunEvent[] = []
  for await (const page of readFoldable(store, record.id, { runSeq: record.run_seq }, after))
    tail.push(...page)
  const folded = foldRun(blankRun(known), tail)
  // What is not read, or no longer kept, says nothing here: the run as a whole stands in its record.
  const isWhole = after === 0 && folded.run_seq === record.run_seq
  return withLatestSteps(isWhole ? folded : { ...folded, ...known })
}

async function foldPast(store: Store, record: RunRecord, untilSeq: number): Promise<Run> {
  const { created_by_role: _internal, ...known } = record
  const blank = blankRun(known)
  const state = { ...blank }
  let recent: RunEvent[] = []
  for await (const page of readFoldable(store, record.id, { seq: untilSeq })) {
    for (const event of page) {
      if (event.type === 'run.created') {
        // What an upgrade changed later.
        state.definition = event.data.definition
        state.version = event.data.version
      }
      foldIntoState(state, event)
    }
    recent.push(...page)
    if (recent.length > 2 * maxFoldedEvents) recent = recent.slice(-maxFoldedEvents)
  }
  if (state.run_seq === 0) {
    throw problem('run_not_found', {
      detail: `There was no run ${record.id} yet after event ${untilSeq}. It was created at ${record.created_at}.`,
    })
  }
  return withLatestSteps({ ...state, steps: foldRun(blank, recent).steps })
}

function withLatestSteps(run: Run): Run {
  const steps = run.steps.slice(-maxStepsShown)
  const isOfStep = ({ kind }: Run['steps'][number]) => kind === 'step'
  // Steps of a long history that are further back than what was read are known by their number alone.
  const unread = Math.max(0, run.steps_total - run.steps.filter(isOfStep).length)
  const omitted = run.steps.length - steps.length + unread
  if (omitted === 0) return run
  return { ...run, steps, steps_omitted: omitted, events_url: `/api/v1/workflows/${run.id}/events` }
}
