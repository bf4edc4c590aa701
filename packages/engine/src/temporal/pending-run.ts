import { type CarriedSignal, isRunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { isTerminal } from '@kyros/contract/run-status'
import type { NewRunEvent } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import { factsOf, factsOfNew, type RunFacts } from '../embedded/run-facts.ts'
import type { Accepted } from '../embedded/submit.ts'
import type { BudgetLimits } from '../engine.ts'
import { type ForkStart, readForkStart } from './fork-prefix.ts'
import { type MovedPart, type MovedRun, readMovedRun } from './moved-part.ts'

/** A run that the cluster does not know yet: what its log says of it. */
export type PendingRun = {
  readonly facts: RunFacts
  readonly fork: ForkStart | undefined
  /** It began on the embedded engine, and goes on with this part of it: nothing is done to it before that. */
  readonly moved: MovedPart | undefined
  readonly depth: number
  runSeq: number
  /** Not before this time. */
  startAtMs: number | undefined
  pausedBy: string | undefined
  limits: BudgetLimits | undefined
  used: { tokens: number; costUsd: number }
  readonly signals: CarriedSignal[]
  readonly signalIds: Set<string>
  readonly inboxIds: Set<number>
  reason: string | undefined
}

/** What of a run is to be done: start it, read its history, or nothing any more. */
export type FoundRun = { kind: 'ended' } | { kind: 'started' } | { kind: 'pending'; run: PendingRun }

/** Reads from the log how far a run of the cluster has come. */
export async function findRun(store: Store, runId: string): Promise<FoundRun> {
  const record = await store.runs.get(runId)
  if (record === undefined || record.engine !== 'temporal' || isTerminal(record.status))
    return { kind: 'ended' }
  const moved = await readMovedRun(store, record)
  if (moved === 'started') return { kind: 'started' }
  if (moved !== undefined) return { kind: 'pending', run: pendingRun(record, moved) }
  const events = await store.events.ofRun(runId)
  const [created] = events
  // A child is begun by the cluster itself.
  const isChild = created?.type === 'run.created' && created.data.parent !== undefined
  if (isChild || events.some(({ data }) => 'history' in data)) return { kind: 'started' }
  const input = await fromStored(record.input, store.blobs)
  const fork = await readForkStart(runId, events, store)
  const facts = { ...factsOf(record), input, ...traceOf(created) }
  const run = pendingRun(record, { facts, fork })
  for (const event of events) {
    if (isRunEvent(event))
      // Border cast: type and data belong together in a stored event.
      await foldPending(run, { ...event, timeMs: Date.parse(event.time) } as NewRunEvent, store)
  }
  // Those that came until now are among what the fork takes over.
  if (run.fork !== undefined) run.signals.length = 0
  return { kind: 'pending', run }
}

/** The same of a run that this process has just committed; undefined where the log has to be asked. */
export async function acceptedRun(accepted: Accepted, store: Store): Promise<PendingRun | undefined> {
  const { run, events, priority, input } = accepted
  const [created] = events
  if (created?.type !== 'run.created' || created.data.parent !== undefined) return undefined
  const facts = { ...factsOfNew(run, priority, input), ...traceOf(created) }
  const pending = pendingRun({ run_seq: events.length }, { facts })
  for (const event of events) await foldPending(pending, event, store)
  return pending
}

function traceOf(created: { data: object } | undefined): Pick<RunFacts, 'traceparent'> {
  const traceparent =
    created !== undefined && 'traceparent' in created.data ? created.data.traceparent : undefined
  return typeof traceparent === 'string' ? { traceparent } : {}
}

type Known = { facts: RunFacts; fork?: ForkStart | undefined } & Partial<MovedRun>

function pendingRun(
  { run_seq }: Pick<RunRecord, 'run_seq'>,
  { facts, fork, moved, pausedBy, limits, used }: Known,
): PendingRun {
  return {
    ...{ facts, fork, moved, pausedBy, limits },
    depth: 0,
    runSeq: run_seq,
    startAtMs: undefined,
    used: used ?? { tokens: 0, costUsd: 0 },
    signals: [],
    signalIds: new Set(),
    inboxIds: new Set(),
    reason: undefined,
  }
}

/** What one event changes in a run that has not begun. */
export async function foldPending(
  run: PendingRun,
  event: NewRunEvent,
  { blobs }: Pick<Store, 'blobs'>,
): Promise<void> {
  const { data } = event
  if ('inbox_id' in data && data.inbox_id !== undefined) run.inboxIds.add(data.inbox_id)
  switch (event.type) {
    case 'run.waiting':
      run.reason = event.data.reason
      if (event.data.reason === 'timer') run.startAtMs = Date.parse(event.data.until ?? '')
      return
    case 'run.resumed':
      run.reason = undefined
      return
    case 'run.pause_requested':
      run.pausedBy ??= event.actor ?? 'somebody'
      return
    case 'run.resume_requested':
      run.pausedBy = undefined
      return
    case 'run.budget_set': {
      const { time_ms: timeMs, tokens, cost_usd: costUsd } = event.data
      run.limits = {
        ...(timeMs === undefined ? {} : { timeMs }),
        ...(tokens === undefined ? {} : { tokens }),
        ...(costUsd === undefined ? {} : { costUsd }),
      }
      return
    }
    case 'budget.used':
      run.used.tokens += event.data.tokens ?? 0
      run.used.costUsd += event.data.cost_usd ?? 0
      return
    case 'signal.received': {
      const { signal, payload, signal_id } = event.data
      const value: Json = await fromStored(payload, blobs)
      run.signals.push({ signal, payload: value })
      if (signal_id !== undefined) run.signalIds.add(signal_id)
      return
    }
    default:
  }
}
