import type { RetryPolicy, StepOptions } from '@kyros/workflows/define'
import { textOf } from '../error-text.ts'
import { stepOptionsFault } from './asked-options.ts'
import { longestTimerMs } from './asked-values.ts'

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

/** Where the options of a step come from: the call's go over the definition's over the run's over ours. */
export type StepOptionSources = {
  readonly step: string
  readonly fromCall: StepOptions | undefined
  readonly fromDefinition: StepOptions | undefined
  readonly maxRetries: number
}

/** `onFault` is told what is wrong with them, if anything; when it returns, the default is taken instead. */
export function resolveStepOptions(
  { step, fromCall, fromDefinition, maxRetries }: StepOptionSources,
  onFault: (fault: Error | undefined) => void,
): ResolvedStepOptions {
  const options: StepOptions = { ...fromDefinition, ...fromCall }
  const retry: RetryPolicy = { ...fromDefinition?.retry, ...fromCall?.retry }
  checkOptions(options)
  for (const given of [fromCall, fromDefinition]) {
    if (given !== undefined) onFault(stepOptionsFault(step, given))
  }
  // What follows also serves old runs, whose options nobody had checked: nothing of them may stop the engine.
  const nonRetryable: unknown = retry.nonRetryable
  return {
    startToCloseMs: numberOr(options.startToCloseMs, defaultStartToCloseMs),
    heartbeatMs: numberOr(options.heartbeatMs, undefined),
    maxAttempts: clamp(numberOr(retry.maxAttempts, maxRetries + 1), 1, Number.MAX_SAFE_INTEGER),
    initialMs: clamp(numberOr(retry.initialMs, 1000), 0, longestTimerMs),
    factor: clamp(numberOr(retry.factor, 2), 1, Number.MAX_VALUE),
    maxMs: clamp(numberOr(retry.maxMs, 60_000), 0, longestTimerMs),
    nonRetryable: Array.isArray(nonRetryable) ? nonRetryable.map(String) : [],
    scheduleToCloseMs: numberOr(options.scheduleToCloseMs, undefined),
    mode: options.mode,
    queue: textOr(options.queue),
    concurrencyKey: textOr(options.concurrencyKey),
    priority: options.priority,
  }
}

function numberOr<T>(value: unknown, otherwise: T): number | T {
  return typeof value === 'number' && !Number.isNaN(value) ? value : otherwise
}

const textOr = (value: unknown) => (value === undefined || value === null ? undefined : textOf(value))
const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value))

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
  // Nothing times what has grown beyond all numbers is no number.
  if (options.initialMs === 0) return 0
  return Math.min(options.maxMs, options.initialMs * options.factor ** (attempt - 1))
}
