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

/** When a failed attempt is followed by another: after `initialMs`, then `factor` times longer each, up to `maxMs`. */
export type RetryPolicy = {
  /** Attempts in all, the first included. Default: the run's `max_retries` + 1. */
  maxAttempts?: number
  /** Default: 1 second. */
  initialMs?: number
  /** Default: 2. */
  factor?: number
  /** Default: 1 minute. */
  maxMs?: number
  /** Codes of errors that are never tried again. */
  nonRetryable?: readonly string[]
}

/** 1 is the most urgent. */
export type StepPriority = 1 | 2 | 3 | 4 | 5

/** How one step is done. The call's options go before the definition's (`stepDefaults`), field by field. */
export type StepOptions = {
  /** How long one attempt may take. Default: 10 minutes. */
  startToCloseMs?: number
  /** How long the step may take in all, with its attempts and the waits between them. Default: no limit. */
  scheduleToCloseMs?: number
  /** How long an attempt may go without a heartbeat; unset: no heartbeat is needed. */
  heartbeatMs?: number
  retry?: RetryPolicy
  /** Unique within the run; default: the name, with `#n` from its second use on. */
  key?: string
  /**
   * `inline`: for short steps, does not wait for a place in the queue. With a `startToCloseMs` of at most 5 seconds it is
   * a local activity on Temporal. Default: `queue`.
   */
  mode?: 'queue' | 'inline'
  /**
   * The queue it waits in; how many of one queue are done at once is configured. Default: the one for all. Steps that
   * keep a core busy belong in `cpu`, of which two for each core are done at once.
   */
  queue?: string
  /** Of the steps with the same key, in all runs, one at a time is done: `tenant:42`. Another number is configured. */
  concurrencyKey?: string
  /** Default: from the job's priority. */
  priority?: StepPriority
}
