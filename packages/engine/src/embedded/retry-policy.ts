import type { RetryPolicy, StepOptions } from '@kyros/workflows/define'

export type ResolvedStepOptions = {
  readonly startToCloseMs: number
  readonly heartbeatMs: number | undefined
  readonly maxAttempts: number
  readonly initialMs: number
  readonly factor: number
  readonly maxMs: number
  readonly nonRetryable: readonly string[]
}

const defaultStartToCloseMs = 10 * 60_000

/** The call's options over the definition's over the run's (`max_retries`) over ours. */
export function resolveStepOptions(
  fromCall: StepOptions | undefined,
  fromDefinition: StepOptions | undefined,
  maxRetries: number,
): ResolvedStepOptions {
  const options: StepOptions = { ...fromDefinition, ...fromCall }
  const retry: RetryPolicy = { ...fromDefinition?.retry, ...fromCall?.retry }
  return {
    startToCloseMs: options.startToCloseMs ?? defaultStartToCloseMs,
    heartbeatMs: options.heartbeatMs,
    maxAttempts: Math.max(1, retry.maxAttempts ?? maxRetries + 1),
    initialMs: retry.initialMs ?? 1000,
    factor: Math.max(1, retry.factor ?? 2),
    maxMs: retry.maxMs ?? 60_000,
    nonRetryable: retry.nonRetryable ?? [],
  }
}

/** How long to wait after failed attempt `attempt`; undefined when it was the last. */
export function retryDelayMs(
  options: ResolvedStepOptions,
  attempt: number,
  error: { code: string; retryable?: boolean },
): number | undefined {
  if (attempt >= options.maxAttempts) return undefined
  if (error.retryable === false || options.nonRetryable.includes(error.code)) return undefined
  return Math.min(options.maxMs, options.initialMs * options.factor ** (attempt - 1))
}
