export type StepErrorOptions = {
  /** True when the same step with the same input may succeed later. */
  readonly retryable: boolean
  readonly cause?: unknown
}

/**
 * A failure that a step foresaw. The message is shown to the user and says what to do next;
 * the code is `noun_condition` and does not change between releases.
 */
export class StepError extends Error {
  override readonly name = 'StepError'
  readonly code: string
  readonly retryable: boolean

  constructor(code: string, message: string, options: StepErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable
  }
}
