import type { RunEvent } from './event.ts'
import type { Attempt, Step } from './run.ts'

/** Where the step of a command is, so that a long history need not be searched for each event. */
export type StepIndex = Map<number, Step>

export function indexSteps(steps: readonly Step[]): StepIndex {
  return new Map(steps.map((step) => [step.command, step]))
}

/** A copy of `steps` that `event` may be folded into: only what the event changes is new. */
export function ownSteps(steps: Step[], event: RunEvent): Step[] {
  const command = commandOf(event)
  if (command === undefined) return event.type === 'run.continued' ? [] : steps
  const at = steps.findLastIndex((step) => step.command === command)
  const own = steps.slice()
  const found = own[at]
  if (found !== undefined) own[at] = { ...found, attempts: found.attempts.map((attempt) => ({ ...attempt })) }
  return own
}

function commandOf({ data }: RunEvent): number | undefined {
  return 'command' in data ? data.command : undefined
}

/** Folds one event into steps that the caller owns: changes them in place. */
export function foldIntoSteps(steps: Step[], event: RunEvent, index?: StepIndex): void {
  switch (event.type) {
    case 'run.continued':
      steps.length = 0
      index?.clear()
      return
    case 'step.scheduled':
      add(steps, newStep(event), index)
      return
    case 'timer.started':
      add(steps, newTimer(event), index)
      return
    case 'waitpoint.created':
      add(steps, newWaitpoint(event), index)
      return
    case 'child.started':
      add(steps, newChild(event), index)
      return
    default: {
      const command = commandOf(event)
      const step = index?.get(command ?? 0) ?? steps.findLast((candidate) => candidate.command === command)
      if (step !== undefined) changeStep(step, event)
    }
  }
}

function add(steps: Step[], step: Step, index: StepIndex | undefined): void {
  steps.push(step)
  index?.set(step.command, step)
}

function changeStep(step: Step, event: RunEvent): void {
  switch (event.type) {
    case 'step.started':
      startAttempt(step, event.data.attempt, event.time)
      return
    case 'step.completed':
      endAttempt(step, event.data.attempt, { status: 'completed', completed_at: event.time })
      step.output = event.data.output
      settle(step, 'completed', event.time)
      return
    case 'step.failed':
      failStep(step, event)
      return
    case 'step.cancelled':
      endAttempt(step, event.data.attempt, { status: 'cancelled', completed_at: event.time })
      settle(step, 'cancelled', event.time)
      return
    case 'timer.fired':
      settle(step, 'completed', event.time)
      return
    case 'waitpoint.completed':
      step.output = event.data.payload
      settle(step, 'completed', event.time)
      return
    case 'child.completed':
      step.output = event.data.result
      settle(step, 'completed', event.time)
      return
    case 'child.failed':
      step.error = event.data.error
      settle(step, 'failed', event.time)
      return
    case 'waitpoint.expired':
      settle(step, 'failed', event.time)
      return
    case 'timer.cancelled':
    case 'waitpoint.cancelled':
    case 'child.cancelled':
      settle(step, 'cancelled', event.time)
      return
    default:
  }
}

function settle(step: Step, status: Step['status'], time: string): void {
  step.status = status
  step.completed_at = time
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

function newStep({ data, time }: Of<'step.scheduled'>): Step {
  return {
    ...begun('step', data.step, data.command, time),
    key: data.key,
    status: 'pending',
    input: data.input,
    max_attempts: data.max_attempts,
    started_at: null,
  }
}

function newTimer({ data, time }: Of<'timer.started'>): Step {
  return { ...begun('timer', data.timer, data.command, time), fire_at: data.fire_at }
}

function newWaitpoint({ data, time }: Of<'waitpoint.created'>): Step {
  const step = begun('waitpoint', data.waitpoint, data.command, time)
  const title = data.title === undefined ? {} : { title: data.title }
  return { ...step, fire_at: data.expires_at ?? null, ...title }
}

function newChild({ data, time }: Of<'child.started'>): Step {
  const step = begun('child', data.child, data.command, time)
  return { ...step, key: data.key ?? step.key, child_run_id: data.run_id }
}

function begun(kind: Step['kind'], name: string, command: number, time: string): Step {
  return {
    key: `${name}#${command}`,
    name,
    kind,
    command,
    status: 'running',
    input: null,
    output: null,
    max_attempts: 1,
    scheduled_at: time,
    started_at: time,
    completed_at: null,
    fire_at: null,
    attempts: [],
  }
}

const maxEarlierStarts = 20

function startAttempt(step: Step, attempt: number, time: string): void {
  // An attempt that a crash cut off starts again under the same number and replaces its earlier entry.
  const cutOff = findAttempt(step, attempt)
  const next: Attempt = {
    attempt,
    status: 'running',
    started_at: time,
    completed_at: null,
    error: null,
    retry_at: null,
  }
  if (cutOff !== undefined) {
    next.earlier_starts = [...(cutOff.earlier_starts ?? []), cutOff.started_at].slice(-maxEarlierStarts)
    step.attempts.splice(step.attempts.indexOf(cutOff), 1)
  }
  step.attempts.push(next)
  step.status = 'running'
  step.started_at ??= time
}

/** The one that is asked for is nearly always the last. */
function findAttempt(step: Step, attempt: number): Attempt | undefined {
  return step.attempts.findLast((entry) => entry.attempt === attempt)
}

function endAttempt(step: Step, attempt: number, end: Partial<Attempt>): void {
  const found = findAttempt(step, attempt)
  if (found !== undefined) Object.assign(found, end)
}

function failStep(step: Step, { data, time }: Of<'step.failed'>): void {
  const retry_at = data.retry_at ?? null
  endAttempt(step, data.attempt, { status: 'failed', completed_at: time, error: data.error, retry_at })
  if (retry_at === null) settle(step, 'failed', time)
  else step.status = 'pending'
}
