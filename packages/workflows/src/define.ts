import type { Json } from '@kyros/contract/json'
import type { StepContext } from './step-context.ts'

/**
 * What a workflow's steps take and give, by name, written as the functions that will do them (`StepImplementation`);
 * values are JSON. The definition sees only these types: implementations live in services/worker.
 */
export type StepContract = { [name: string]: (input: never, context: StepContext) => Promise<unknown> }

export type StepInput<S extends StepContract, K extends keyof S> = Parameters<S[K]>[0]
export type StepOutput<S extends StepContract, K extends keyof S> = Awaited<ReturnType<S[K]>>

/** The functions that do the steps of contract `S`; each attempt calls one of them. */
export type StepImplementations<S extends StepContract> = { readonly [K in keyof S]: S[K] }

export type RetryPolicy = {
  /** Attempts in all, the first included. */
  maxAttempts?: number
  initialMs?: number
  factor?: number
  maxMs?: number
  /** Codes of errors that are never tried again. */
  nonRetryable?: readonly string[]
}

export type StepOptions = {
  /** How long one attempt may take. Default: 10 minutes. */
  startToCloseMs?: number
  /** How long an attempt may go without a heartbeat; unset: no heartbeat is needed. */
  heartbeatMs?: number
  retry?: RetryPolicy
  /** Unique within the run; default: the name, with `#n` from its second use on. */
  key?: string
}

/** All that workflow code may touch. Every method gives the same answers when the run is replayed. */
export type WorkflowContext<S extends StepContract = StepContract> = {
  readonly info: {
    readonly runId: string
    readonly workflow: string
    readonly version: string
    readonly attempt: number
  }
  /**
   * One function per step. Whatever depends on its result (the next step's side effect, the end of the run) happens
   * only after the result is durable.
   */
  readonly step: {
    readonly [K in keyof S]: (input: StepInput<S, K>, options?: StepOptions) => Promise<StepOutput<S, K>>
  }
  sleep(durationMs: number): Promise<void>
  /** Waits until `predicate` is true after a signal was handled; false when `timeoutMs` passed first. */
  condition(predicate: () => boolean, timeoutMs?: number): Promise<boolean>
  onSignal(name: string, handler: (payload: Json) => void): void
  /** Runs `body` to its end even when the run is cancelled: for clean-up and compensation. */
  shield<T>(body: () => Promise<T>): Promise<T>
  /** Milliseconds since 1970, recorded: the time of the event that woke the code. */
  now(): number
  random(): number
  uuid(): string
  log(level: 'info' | 'warn' | 'error', message: string): void
}

export type WorkflowDefinition<S extends StepContract = StepContract, I = Json, O = unknown> = {
  readonly name: string
  /** For people; what runs is identified by the hash of its bundle. */
  readonly version: string
  readonly stepDefaults?: { readonly [K in keyof S]?: StepOptions }
  readonly run: (context: WorkflowContext<S>, input: I) => Promise<O>
}

/**
 * Declares a workflow. `run` is a plain function of its context and input: no clock, no dice, no I/O, no import
 * but types and other pure code, because it is replayed from its history.
 */
export function defineWorkflow<S extends StepContract>() {
  return <I, O>(definition: WorkflowDefinition<S, I, O>): WorkflowDefinition<S, I, O> => definition
}

/** Ends the run as failed on purpose. Anything else thrown by workflow code is a bug and blocks the run. */
export class WorkflowFailure extends Error {
  override readonly name = 'WorkflowFailure'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** What workflow code sees when a step failed for good; uncaught, it fails the run with `step_failed`. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
  readonly step: string
  readonly code: string
  readonly attempts: number

  constructor(step: string, code: string, message: string, attempts: number) {
    super(message)
    this.step = step
    this.code = code
    this.attempts = attempts
  }
}

/** What every waiting call throws when the run is cancelled; `shield` protects what must still happen. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/**
 * Names instead of `instanceof`: a definition runs from its own bundle, which holds its own copies of these
 * classes.
 */
export function isNamed(error: unknown, name: 'WorkflowFailure' | 'StepFailure' | 'Cancelled'): boolean {
  return error instanceof Error && error.name === name
}
