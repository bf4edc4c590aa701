import type { RetryPolicy, StepOptions } from '@kyros/workflows/define'

export type ResolvedStepOptions = {
  readonly startToCloseMs: number
  readonly heartbeatMs: number | undefined
  readonly maxAttempts: number
  readonly initialMs: number
  readonly factor: number
  readonly maxMs: number
  readonly nonRetryable: readonly string[]
  /** Of the whole step, its attempts and what is between them. */
  readonly scheduleToCloseMs?: number | undefined
  readonly mode?: 'queue' | 'inline' | undefined
  readonly queue?: string | undefined
  readonly concurrencyKey?: string | undefined
  /** 1 (first) to 5; undefined: from the job's priority. */
  readonly priority?: number | undefined
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
  checkOptions(options)
  return {
    startToCloseMs: options.startToCloseMs ?? defaultStartToCloseMs,
    heartbeatMs: options.heartbeatMs,
    maxAttempts: Math.max(1, retry.maxAttempts ?? maxRetries + 1),
    initialMs: retry.initialMs ?? 1000,
    factor: Math.max(1, retry.factor ?? 2),
    maxMs: retry.maxMs ?? 60_000,
    nonRetryable: retry.nonRetryable ?? [],
    scheduleToCloseMs: options.scheduleToCloseMs,
    mode: options.mode,
    queue: options.queue,
    concurrencyKey: options.concurrencyKey,
    priority: options.priority,
  }
}

const limits = ['startToCloseMs', 'scheduleToCloseMs', 'heartbeatMs'] as const

/** @throws RangeError, which blocks the run: a limit that is none would let a step run for ever, or never */
function checkOptions(options: StepOptions): void {
  for (const name of limits) {
    const ms = options[name]
    if (ms !== undefined && !(ms > 0)) throw new RangeError(`${name} is ${ms}: give milliseconds above 0.`)
  }
  const { priority } = options
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 1 && priority <= 5)) {
    throw new RangeError(`The priority ${priority} is none: give 1 (first) to 5.`)
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
