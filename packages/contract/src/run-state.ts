import type { RunEvent } from './event.ts'
import type { Run, RunSummary } from './run.ts'
import { foldIntoSteps, indexSteps, ownSteps } from './step-state.ts'

type Moving =
  | 'status'
  | 'reason'
  | 'reason_detail'
  | 'waiting_until'
  | 'cancel_requested'
  | 'started_at'
  | 'completed_at'
  | 'last_seq'
  | 'run_seq'
  | 'steps_total'
  | 'steps_completed'
  | 'error'
/** Left out until an event of the run sets them. */
type MovingLate = 'attributes' | 'budget' | 'continued' | 'forked_from' | 'paused' | 'stirred'

/** The parts of a run that its events change; the rest is fixed when it is created. */
export type RunState = Pick<RunSummary, Moving | MovingLate>

/** What some events say about the rest: the result, and the bundle or engine that an upgrade or a new part brings. */
type Outcome = { result?: unknown; definition?: string; version?: string } & Pick<RunSummary, PartPlace>
type PartPlace = 'engine' | 'temporal_id'

/** The state of a run of which nothing is known yet: fold its first event into this. */
export const emptyRunState: RunState = {
  status: 'pending',
  reason: null,
  reason_detail: null,
  waiting_until: null,
  cancel_requested: false,
  started_at: null,
  completed_at: null,
  last_seq: 0,
  run_seq: 0,
  steps_total: 0,
  steps_completed: 0,
  error: null,
}

/** The run as it was before its first event: what to fold all its events into. */
export function blankRun(run: Omit<Run, 'steps' | 'result'>): Run {
  const { attributes: _1, budget: _2, continued: _3, forked_from: _4, paused: _5, ...others } = run
  const { stirred: _6, ...rest } = others
  return { ...rest, ...emptyRunState, result: null, steps: [] }
}

/**
 * Folds one event into what a list shows of a run. Events already folded (by `run_seq`) change nothing, so a
 * reader may see one twice. The store's projection and the console use this, with `applyEvent` for the whole.
 */
export function applyToState<S extends RunState>(state: S, event: RunEvent): S & Outcome {
  const next: S & Outcome = { ...state }
  foldIntoState(next, event)
  return next
}

/** Like `applyToState`, into a state that the caller owns: changes it in place. */
export function foldIntoState(state: RunState & Outcome, event: RunEvent): void {
  if (event.run_seq <= state.run_seq) return
  state.last_seq = event.seq
  state.run_seq = event.run_seq
  change(state, event)
  // Whoever takes the run up must look at it, and may not let it sleep until its time.
  if (state.status === 'waiting' && event.type !== 'run.waiting') state.stirred = true
  else if (state.stirred !== undefined) delete state.stirred
}

/** Folds one event into a run with its steps and attempts. Pure; returns a new run and copies what it changes. */
export function applyEvent(run: Run, event: RunEvent): Run {
  if (event.run_seq <= run.run_seq) return run
  const next: Run = { ...run, steps: ownSteps(run.steps, event) }
  foldIntoState(next, event)
  foldIntoSteps(next.steps, event)
  return next
}

/**
 * Folds a whole history into a run; the same as `applyEvent` one by one, in time that grows with the number of events
 * and not with its square. `run` is not changed.
 */
export function foldRun(run: Run, events: Iterable<RunEvent>): Run {
  const next: Run = { ...run, steps: structuredClone(run.steps) }
  const index = indexSteps(next.steps)
  for (const event of events) {
    if (event.run_seq <= next.run_seq) continue
    foldIntoState(next, event)
    foldIntoSteps(next.steps, event, index)
  }
  return next
}

function change(state: RunState & Outcome, event: RunEvent): void {
  switch (event.type) {
    case 'run.started':
      state.started_at ??= event.time
      move(state, 'running')
      return
    case 'run.waiting': {
      const { reason, detail, until } = event.data
      state.status = 'waiting'
      state.reason = reason
      state.reason_detail = detail ?? null
      state.waiting_until = until ?? null
      // Only a run that has not begun waits for a place; a fork has the start of what it takes over in its log.
      if (reason === 'concurrency') state.started_at = null
      return
    }
    case 'run.resumed':
      state.started_at ??= event.time
      move(state, 'running')
      return
    case 'run.cancel_requested':
      state.cancel_requested = true
      state.reason_detail = event.data.reason
      return
    case 'step.scheduled':
      state.steps_total += 1
      return
    case 'step.completed':
      state.steps_completed += 1
      return
    case 'run.completed':
    case 'run.failed':
    case 'run.cancelled':
    case 'run.timed_out':
      end(state, event)
      return
    default:
      changeRarely(state, event)
  }
}

function changeRarely(state: RunState & Outcome, event: RunEvent): void {
  switch (event.type) {
    case 'run.pause_requested':
      state.paused = true
      return
    case 'run.resume_requested':
      state.paused = false
      return
    case 'run.continued':
      state.continued = (state.continued ?? 0) + 1
      state.steps_total = 0
      state.steps_completed = 0
      takeBundle(state, event.data)
      if (event.data.engine === undefined) return
      state.engine = event.data.engine
      state.temporal_id = event.run_id
      return
    case 'run.upgraded':
      takeBundle(state, event.data)
      return
    case 'run.forked':
      state.started_at = event.time
      state.forked_from = { run_id: event.data.from_run, step: event.data.from_step }
      return
    case 'attributes.set':
      state.attributes = { ...state.attributes, ...event.data.attributes }
      return
    case 'run.budget_set': {
      const { used_tokens = 0, used_cost_usd = 0 } = state.budget ?? {}
      const { inbox_id: _1, history: _2, ...limits } = event.data
      state.budget = { ...limits, used_tokens, used_cost_usd }
      return
    }
    case 'budget.used': {
      const before = state.budget ?? { used_tokens: 0, used_cost_usd: 0 }
      state.budget = {
        ...before,
        used_tokens: before.used_tokens + (event.data.tokens ?? 0),
        used_cost_usd: before.used_cost_usd + (event.data.cost_usd ?? 0),
      }
      return
    }
    default:
  }
}

function takeBundle(state: Outcome, { definition, version }: { definition: string; version: string }): void {
  state.definition = definition
  state.version = version
}

type EndEvent = Extract<
  RunEvent,
  { type: 'run.completed' | 'run.failed' | 'run.cancelled' | 'run.timed_out' }
>

function end(state: RunState & Outcome, event: EndEvent): void {
  state.completed_at = event.time
  switch (event.type) {
    case 'run.completed':
      move(state, 'completed')
      state.result = event.data.result
      return
    case 'run.failed':
      move(state, 'failed')
      state.reason = event.data.reason
      state.error = event.data.error
      return
    case 'run.cancelled':
      move(state, 'cancelled')
      state.reason_detail = event.data.reason
      return
    case 'run.timed_out':
      move(state, 'timed_out')
      state.error = event.data.error
  }
}

function move(state: RunState, status: RunState['status']): void {
  state.status = status
  state.reason = null
  state.reason_detail = null
  state.waiting_until = null
}
