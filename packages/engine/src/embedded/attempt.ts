import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { StepContext } from '@kyros/workflows/step-context'
import { fieldsOf, messageOf, textOf } from '../error-text.ts'
import type { EngineClock, Timer, Timers } from './timers.ts'
import { createScope, inScope } from './workflow-scope.ts'

export type StepFunction = (input: never, context: StepContext) => Promise<unknown>

export type AttemptEnd = { kind: 'completed'; output: unknown } | { kind: 'failed'; error: ErrorData }

export type AttemptLimits = { readonly startToCloseMs: number; readonly heartbeatMs: number | undefined }

export type AttemptParts = {
  readonly timers: Timers
  readonly clock: EngineClock
  /** How long an implementation that was told to stop may take. */
  readonly abortGraceMs: number
}

/**
 * One call of an implementation, which ends in time whatever the implementation does: after a time-out or an abort it
 * has `abortGraceMs` to settle, then the attempt ends without it.
 */
export class Attempt {
  readonly startedMs: number
  /** What the last heartbeat said. */
  progress: Json | undefined
  /** Resolves when what it wrote beside the log is durable; set once it writes. */
  flushed: (() => Promise<void> | undefined) | undefined
  readonly #parts: AttemptParts
  readonly #limits: AttemptLimits
  readonly #onEnd: (end: AttemptEnd) => void
  /** Made when the implementation first asks for its signal: most never do. */
  #controller: AbortController | undefined
  #cutShort: { end: AttemptEnd; reason: Error } | undefined
  #over = false
  #closing: Timer | undefined
  #beating: Timer | undefined
  #grace: Timer | undefined
  #waiting: (() => void)[] | undefined

  /** `onEnd` is called once, never within `run`. */
  constructor(parts: AttemptParts, limits: AttemptLimits, onEnd: (end: AttemptEnd) => void) {
    this.#parts = parts
    this.#limits = limits
    this.#onEnd = onEnd
    this.startedMs = parts.clock.nowMs()
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#cutShort !== undefined) this.#controller.abort(this.#cutShort.reason)
    }
    return this.#controller.signal
  }

  run(implementation: StepFunction, input: Json, context: StepContext): void {
    const { startToCloseMs } = this.#limits
    this.#closing = this.#parts.timers.at(this.startedMs + startToCloseMs, () =>
      this.#timeOut('step_timed_out', `The attempt took longer than ${startToCloseMs} ms.`),
    )
    this.#expectBeat()
    const failed = (error: unknown) => this.#finish({ kind: 'failed', error: errorData(error) })
    try {
      const scope = createScope(this.#ownerFor(context), undefined)
      // Border cast: the contract ties the input's type to this implementation where both are declared.
      const running = inScope(scope, () => implementation(input as never, context))
      // Outside of the scope, or what the engine does next would seem to be the step's.
      Promise.resolve(running).then((output) => this.#finish({ kind: 'completed', output }), failed)
    } catch (error) {
      queueMicrotask(() => failed(error))
    }
  }

  beat(details: Json | undefined): void {
    if (details !== undefined) this.progress = details
    this.#beating?.cancel()
    this.#beating = undefined
    if (!this.#over && this.#cutShort === undefined) this.#expectBeat()
  }

  /** Asks the implementation to stop. */
  abort(reason: Error): void {
    this.#stop({ code: 'step_aborted', message: reason.message }, reason)
  }

  /** Resolves when the implementation ended or was given up. */
  ended(): Promise<void> {
    if (this.#over) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting ??= []
      this.#waiting.push(resolve)
    })
  }

  /** Who hears of what the implementation left behind: a rejection or an exception that nobody waits for. */
  #ownerFor(context: StepContext) {
    const onLog = (level: 'warn', message: string) => context.log(level, message)
    const onThrown = (error: unknown) => {
      onLog('warn', `A callback of this step threw: ${textOf(error)}`)
      this.#stop(errorData(error), new Error(messageOf(error)))
    }
    const run = { runId: context.runId, workflow: '' }
    return { onLog, onThrown, run, step: context.step }
  }

  #expectBeat(): void {
    const { heartbeatMs } = this.#limits
    if (heartbeatMs === undefined) return
    const { timers, clock } = this.#parts
    this.#beating = timers.at(clock.nowMs() + heartbeatMs, () =>
      this.#timeOut('step_heartbeat_timed_out', `The attempt gave no sign of life for ${heartbeatMs} ms.`),
    )
  }

  #timeOut(code: string, message: string): void {
    this.#stop({ code, message, retryable: true }, new Error(message))
  }

  #stop(error: ErrorData, reason: Error): void {
    if (this.#over || this.#cutShort !== undefined) return
    const end: AttemptEnd = { kind: 'failed', error }
    this.#cutShort = { end, reason }
    this.#controller?.abort(reason)
    const { timers, clock, abortGraceMs } = this.#parts
    this.#grace = timers.at(clock.nowMs() + abortGraceMs, () => this.#finish(end))
  }

  #finish(end: AttemptEnd): void {
    if (this.#over) return
    this.#over = true
    this.#closing?.cancel()
    this.#beating?.cancel()
    this.#grace?.cancel()
    this.#onEnd(this.#cutShort?.end ?? end)
    for (const resolve of this.#waiting ?? []) resolve()
  }
}

/** What the log and the user see of an error; never a stack. */
export function errorData(error: unknown): ErrorData {
  return { code: 'step_error', message: messageOf(error), retryable: true, ...fieldsOf(error) }
}
