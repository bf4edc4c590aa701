/**
 * Ends the run as failed on purpose, with a code (`noun_condition`) and a message for people. Thrown by the handler of
 * an update it fails that update alone. Anything else that workflow code throws and that is not in this file is a bug
 * and blocks the run until its definition is put right.
 *
 *     throw new WorkflowFailure('order_refused', 'The customer has no credit.')
 */
export class WorkflowFailure extends Error {
  override readonly name = 'WorkflowFailure'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * What workflow code sees when a step failed for good: after its last attempt, or at once for an error that is not
 * tried again. Uncaught, it fails the run with reason `step_failed`.
 */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
  readonly step: string
  /** The code of the error that the last attempt threw; `step_timed_out` when it took too long. */
  readonly code: string
  readonly attempts: number

  constructor(step: string, code: string, message: string, attempts: number) {
    super(message)
    this.step = step
    this.code = code
    this.attempts = attempts
  }
}

/**
 * What `child` throws when the child did not complete. `code` is that of the child's own failure, or
 * `child_cancelled`, `child_timed_out`, `workflow_unknown`, or `child_too_deep`: children nest at most 32 deep. Uncaught, it fails the run with reason `child_failed`.
 */
export class ChildFailure extends Error {
  override readonly name = 'ChildFailure'
  /** The workflow that the child runs. */
  readonly workflow: string
  readonly runId: string
  readonly code: string

  constructor(workflow: string, runId: string, code: string, message: string) {
    super(message)
    this.workflow = workflow
    this.runId = runId
    this.code = code
  }
}

/** What `completed` of a waitpoint throws when nobody answered it in time. Uncaught, it fails the run. */
export class WaitpointExpired extends Error {
  override readonly name = 'WaitpointExpired'
  readonly code = 'waitpoint_expired'
  readonly waitpoint: string

  constructor(waitpoint: string) {
    super(`Nobody answered the waitpoint ${waitpoint} in time.`)
    this.waitpoint = waitpoint
  }
}

/** What `scope` throws when its time was over before its body ended. Uncaught, it fails the run. */
export class ScopeTimedOut extends Error {
  override readonly name = 'ScopeTimedOut'
  readonly code = 'scope_timed_out'
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`What was begun in the scope took longer than ${timeoutMs} ms.`)
    this.timeoutMs = timeoutMs
  }
}

/**
 * What `saga` throws when a compensation failed too: what it should have undone is still there. The others were tried
 * nevertheless. Uncaught, it fails the run.
 */
export class CompensationFailure extends Error {
  override readonly name = 'CompensationFailure'
  readonly code = 'compensation_failed'
  /** Why there was something to compensate, then what failed of it, as `code: message`. */
  readonly failures: readonly string[]

  constructor(failures: readonly string[]) {
    super(`Not all could be undone: ${failures.join('; ')}`)
    this.failures = failures
  }
}

/**
 * What every waiting call throws when the run, or the scope it was begun in, is cancelled. Uncaught, it ends the run
 * as cancelled; `shield` protects what must still happen.
 */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** What a query sees when its handler asks for something that would change the run, and what an update throws at most. */
export class ReadOnlyViolation extends Error {
  override readonly name = 'ReadOnlyViolation'
  readonly code = 'query_failed'
}

export type FailureName =
  | 'WorkflowFailure'
  | 'StepFailure'
  | 'ChildFailure'
  | 'WaitpointExpired'
  | 'ScopeTimedOut'
  | 'CompensationFailure'
  | 'Cancelled'

/**
 * Names instead of `instanceof`: a definition runs from its own bundle, which holds its own copies of these
 * classes.
 */
export function isNamed(error: unknown, name: FailureName): boolean {
  return error instanceof Error && error.name === name
}

/** The failures that a definition may let through; everything else is a bug in it. */
export const failureNames: ReadonlySet<string> = new Set<FailureName>([
  'WorkflowFailure',
  'StepFailure',
  'ChildFailure',
  'WaitpointExpired',
  'ScopeTimedOut',
  'CompensationFailure',
  'Cancelled',
])

/** JSON of an error that was foreseen; undefined for a bug. */
export function failureOf(error: unknown): { code: string; message: string } | undefined {
  if (!(error instanceof Error) || !failureNames.has(error.name)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'cancelled'
  return { code, message: error.message }
}
