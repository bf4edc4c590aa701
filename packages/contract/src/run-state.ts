import type { RunEvent } from './event.ts'
import type { Json } from './json.ts'
import type { Attempt, Run, RunSummary, Step } from './run.ts'

/** The parts of a run that its events change; the rest is fixed when it is created. */
export type RunState = Pick<
  RunSummary,
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
>

type Outcome = { result?: Json }

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

/**
 * Folds one event into what a list shows of a run. Events already folded (by `run_seq`) change nothing, so a
 * reader may see one twice. The store's projection and the console use this, with `applyEvent` for the whole.
 */
export function applyToState<S extends RunState>(state: S, event: RunEvent): S & Outcome {
  if (event.run_seq <= state.run_seq) return state
  return { ...state, last_seq: event.seq, run_seq: event.run_seq, ...change(state, event) }
}

/** Folds one event into a run with its steps and attempts. Pure; returns a new run. */
export function applyEvent(run: Run, event: RunEvent): Run {
  if (event.run_seq <= run.run_seq) return run
  return { ...applyToState(run, event), steps: foldSteps(run.steps, event) }
}

const settled = { reason: null, reason_detail: null, waiting_until: null }

function change(state: RunState, event: RunEvent): Partial<RunState> & Outcome {
  switch (event.type) {
    case 'run.started':
      return { status: 'running', started_at: state.started_at ?? event.time, ...settled }
    case 'run.waiting': {
      const { reason, detail, until } = event.data
      return { status: 'waiting', reason, reason_detail: detail ?? null, waiting_until: until ?? null }
    }
    case 'run.resumed':
      return { status: 'running', ...settled }
    case 'run.cancel_requested':
      return { cancel_requested: true, reason_detail: event.data.reason }
    case 'run.completed':
      return { status: 'completed', completed_at: event.time, ...settled, result: event.data.result }
    case 'run.failed':
      return {
        ...settled,
        status: 'failed',
        completed_at: event.time,
        reason: event.data.reason,
        error: event.data.error,
      }
    case 'run.cancelled':
      return { ...settled, status: 'cancelled', completed_at: event.time, reason_detail: event.data.reason }
    case 'run.timed_out':
      return { ...settled, status: 'timed_out', completed_at: event.time, error: event.data.error }
    case 'step.scheduled':
      return { steps_total: state.steps_total + 1 }
    case 'step.completed':
      return { steps_completed: state.steps_completed + 1 }
    default:
      return {}
  }
}

function foldSteps(steps: readonly Step[], event: RunEvent): Step[] {
  switch (event.type) {
    case 'step.scheduled':
      return [...steps, newStep(event)]
    case 'timer.started':
      return [...steps, newTimer(event)]
    case 'step.started':
      return update(steps, event.data.command, (step) => withAttempt(step, event.data.attempt, event.time))
    case 'step.completed':
      return update(steps, event.data.command, (step) => ({
        ...endAttempt(step, event.data.attempt, { status: 'completed', completed_at: event.time }),
        status: 'completed',
        completed_at: event.time,
        output: event.data.output,
      }))
    case 'step.failed':
      return update(steps, event.data.command, (step) => failStep(step, event))
    case 'step.cancelled':
      return update(steps, event.data.command, (step) => ({
        ...endAttempt(step, event.data.attempt, { status: 'cancelled', completed_at: event.time }),
        status: 'cancelled',
        completed_at: event.time,
      }))
    case 'timer.fired':
    case 'timer.cancelled': {
      const status = event.type === 'timer.fired' ? 'completed' : 'cancelled'
      return update(steps, event.data.command, (step) => ({ ...step, status, completed_at: event.time }))
    }
    default:
      return [...steps]
  }
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

function newStep({ data, time }: Of<'step.scheduled'>): Step {
  return {
    key: data.key,
    name: data.step,
    kind: 'step',
    command: data.command,
    status: 'pending',
    input: data.input,
    output: null,
    max_attempts: data.max_attempts,
    scheduled_at: time,
    started_at: null,
    completed_at: null,
    fire_at: null,
    attempts: [],
  }
}

function newTimer({ data, time }: Of<'timer.started'>): Step {
  return {
    key: `${data.timer}#${data.command}`,
    name: data.timer,
    kind: 'timer',
    command: data.command,
    status: 'running',
    input: null,
    output: null,
    max_attempts: 1,
    scheduled_at: time,
    started_at: time,
    completed_at: null,
    fire_at: data.fire_at,
    attempts: [],
  }
}

function update(steps: readonly Step[], command: number, map: (step: Step) => Step): Step[] {
  return steps.map((step) => (step.command === command ? map(step) : step))
}

const maxEarlierStarts = 20

function withAttempt(step: Step, attempt: number, time: string): Step {
  // An attempt that a crash cut off starts again under the same number and replaces its earlier entry.
  const cutOff = step.attempts.find((entry) => entry.attempt === attempt)
  const earlier = cutOff && [...(cutOff.earlier_starts ?? []), cutOff.started_at].slice(-maxEarlierStarts)
  const next: Attempt = {
    attempt,
    status: 'running',
    started_at: time,
    completed_at: null,
    error: null,
    retry_at: null,
    ...(earlier && { earlier_starts: earlier }),
  }
  const others = step.attempts.filter((entry) => entry.attempt !== attempt)
  return { ...step, status: 'running', started_at: step.started_at ?? time, attempts: [...others, next] }
}

function endAttempt(step: Step, attempt: number, end: Partial<Attempt>): Step {
  const attempts = step.attempts.map((entry) => (entry.attempt === attempt ? { ...entry, ...end } : entry))
  return { ...step, attempts }
}

function failStep(step: Step, { data, time }: Of<'step.failed'>): Step {
  const retry_at = data.retry_at ?? null
  const ended = endAttempt(step, data.attempt, {
    status: 'failed',
    completed_at: time,
    error: data.error,
    retry_at,
  })
  return retry_at === null
    ? { ...ended, status: 'failed', completed_at: time }
    : { ...ended, status: 'pending' }
}
