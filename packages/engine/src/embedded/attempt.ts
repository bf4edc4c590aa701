import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { StepContext } from '@kyros/workflows/step-context'
import type { EngineClock, Timer, Timers } from './timers.ts'

export type StepFunction = (input: never, context: StepContext) => Promise<unknown>

export type AttemptEnd = { kind: 'completed'; output: unknown } | { kind: 'failed'; error: ErrorData }

export type Attempt = {
  /** Resolves once, when the implementation ended or was given up. Never rejects. */
  readonly ended: Promise<AttemptEnd>
  /** Asks the implementation to stop. */
  abort(reason: Error): void
  readonly startedMs: number
  /** What the last heartbeat said. */
  readonly progress: Json | undefined
}

export type AttemptOptions = {
  implementation: StepFunction
  input: Json
  createContext: (own: Pick<StepContext, 'signal' | 'heartbeat'>) => StepContext
  startToCloseMs: number
  heartbeatMs: number | undefined
  /** How long an implementation that was told to stop may take. */
  abortGraceMs: number
  timers: Timers
  clock: EngineClock
}

/**
 * Calls the implementation once and ends in time, whatever it does: after a time-out or an abort it has
 * `abortGraceMs` to settle, then the attempt ends without it.
 */
export function startAttempt(options: AttemptOptions): Attempt {
  const { timers, clock } = options
  const controller = new AbortController()
  const startedMs = clock.nowMs()
  const { promise: ended, resolve } = Promise.withResolvers<AttemptEnd>()
  let progress: Json | undefined
  let cutShort: AttemptEnd | undefined
  let over = false
  let grace: Timer | undefined

  const finish = (end: AttemptEnd) => {
    over = true
    for (const timer of [closing, beating, grace]) timer?.cancel()
    resolve(cutShort ?? end)
  }
  const stop = (error: ErrorData, reason: Error) => {
    if (over || cutShort !== undefined) return
    cutShort = { kind: 'failed', error }
    const gaveUp: AttemptEnd = cutShort
    controller.abort(reason)
    grace = timers.at(clock.nowMs() + options.abortGraceMs, () => finish(gaveUp))
  }
  const timeOut = (code: string, message: string) =>
    stop({ code, message, retryable: true }, new Error(message))

  const closing = timers.at(startedMs + options.startToCloseMs, () =>
    timeOut('step_timed_out', `The attempt took longer than ${options.startToCloseMs} ms.`),
  )
  const expectBeat = () => {
    const { heartbeatMs } = options
    if (heartbeatMs === undefined) return undefined
    return timers.at(clock.nowMs() + heartbeatMs, () =>
      timeOut('step_heartbeat_timed_out', `The attempt gave no sign of life for ${heartbeatMs} ms.`),
    )
  }
  let beating = expectBeat()

  const context = options.createContext({
    signal: controller.signal,
    heartbeat: (details) => {
      if (details !== undefined) progress = details
      beating?.cancel()
      beating = over || cutShort !== undefined ? undefined : expectBeat()
    },
  })
  call(options.implementation, options.input, context).then(finish)
  return {
    ended,
    startedMs,
    abort: (reason) => stop({ code: 'step_aborted', message: reason.message }, reason),
    get progress() {
      return progress
    },
  }
}

async function call(implementation: StepFunction, input: Json, context: StepContext): Promise<AttemptEnd> {
  try {
    // Border cast: the contract ties the input's type to this implementation where both are declared.
    return { kind: 'completed', output: await implementation(input as never, context) }
  } catch (error) {
    return { kind: 'failed', error: errorData(error) }
  }
}

/** What the log and the user see of an error; never a stack. */
export function errorData(error: unknown): ErrorData {
  if (!(error instanceof Error)) return { code: 'step_error', message: String(error), retryable: true }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'step_error'
  const retryable = 'retryable' in error && typeof error.retryable === 'boolean' ? error.retryable : true
  const cause = error.cause instanceof Error ? error.cause.message : undefined
  return { code, message: error.message, retryable, ...(cause === undefined ? {} : { cause }) }
}
