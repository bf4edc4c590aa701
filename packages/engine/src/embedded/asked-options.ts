import type { Json } from '@kyros/contract/json'
import type { RetryPolicy, StepOptions, WorkflowBudget, WorkflowConcurrency } from '@kyros/workflows/define'
import { longestTimerMs } from './asked-values.ts'

const maxNameChars = 1000
const maxTitleChars = 10_000

/** What is wrong with a text that a definition gives, as a sentence that says what to give instead. */
function textFault(what: string, value: unknown, maxChars = maxNameChars): Error | undefined {
  if (typeof value !== 'string') return new TypeError(`${what} is ${kindOf(value)}: give a text.`)
  if (value.length > 0 && value.length <= maxChars) return undefined
  return new RangeError(`${what} has ${value.length} characters: give 1 to ${maxChars}.`)
}

/** The name of a signal, waitpoint, patch, …: what is wrong with it, or undefined. */
export function nameFault(what: string, name: unknown): Error | undefined {
  return textFault(`The name of a ${what}`, name)
}

export function keyFault(what: string, key: unknown): Error | undefined {
  return key === undefined ? undefined : textFault(`The key of ${what}`, key)
}

export function titleFault(title: unknown): Error | undefined {
  return title === undefined ? undefined : textFault('The title of a waitpoint', title, maxTitleChars)
}

export function handlerFault(what: string, handler: unknown): Error | undefined {
  if (typeof handler === 'function') return undefined
  return new TypeError(`The handler of ${what} is ${kindOf(handler)}: give a function.`)
}

const parentCloses: readonly unknown[] = ['request_cancel', 'cancel', 'abandon']

export function parentCloseFault(parentClose: unknown): Error | undefined {
  if (parentCloses.includes(parentClose)) return undefined
  return new RangeError(`parentClose is ${shown(parentClose)}: give 'request_cancel', 'cancel' or 'abandon'.`)
}

const conflicts: readonly unknown[] = ['queue', 'reject', 'cancel_oldest', 'cancel_newest']

/** What is wrong with how many runs of a workflow may be under way, or undefined. */
export function concurrencyFault(concurrency: WorkflowConcurrency<Json>): Error | undefined {
  if (!isObject(concurrency)) return new TypeError('concurrency is no object: give { limit, onConflict }.')
  const { limit, onConflict } = concurrency
  if (!conflicts.includes(onConflict)) {
    const says = `give 'queue', 'reject', 'cancel_oldest' or 'cancel_newest'`
    return new RangeError(`concurrency.onConflict is ${shown(onConflict)}: ${says}.`)
  }
  return rangeFault('concurrency.limit', limit, count)
}

/** What is wrong with the budget of a workflow, or undefined. */
export function budgetFault(budget: WorkflowBudget | undefined): Error | undefined {
  if (budget === undefined) return undefined
  if (!isObject(budget)) return new TypeError('budget is no object: give { timeMs, … }.')
  return (
    rangeFault('budget.timeMs', budget.timeMs, duration) ??
    rangeFault('budget.tokens', budget.tokens, count) ??
    rangeFault('budget.costUsd', budget.costUsd, count)
  )
}

/** A number of which nothing is known but its name in the options, and the values it may have. */
type Range = { least: number; most: number; says: string }
const duration: Range = { least: 0, most: longestTimerMs, says: 'milliseconds, up to 100 years' }
const count: Range = { least: 0, most: Infinity, says: 'a number' }

const texts = ['key', 'queue', 'concurrencyKey'] as const
const limits = ['startToCloseMs', 'scheduleToCloseMs', 'heartbeatMs'] as const

/** What is wrong with how a step is to be done, or undefined. */
export function stepOptionsFault(step: string, options: StepOptions): Error | undefined {
  const of = (name: string) => `${name} of step ${step}`
  if (!isObject(options)) return new TypeError(`The options of step ${step} are no object: give { … }.`)
  for (const name of texts) {
    const fault = options[name] === undefined ? undefined : textFault(of(name), options[name])
    if (fault !== undefined) return fault
  }
  for (const name of limits) {
    const fault = rangeFault(of(name), options[name], duration)
    if (fault !== undefined) return fault
  }
  const { mode, retry } = options
  if (mode !== undefined && mode !== 'queue' && mode !== 'inline') {
    return new RangeError(`${of('mode')} is ${shown(mode)}: give 'queue' or 'inline'.`)
  }
  return retry === undefined ? undefined : retryFault(of, retry)
}

function retryFault(of: (name: string) => string, retry: RetryPolicy): Error | undefined {
  if (!isObject(retry)) return new TypeError(`${of('retry')} is ${kindOf(retry)}: give { maxAttempts, … }.`)
  const { nonRetryable } = retry
  if (nonRetryable !== undefined && !isTexts(nonRetryable)) {
    return new TypeError(`${of('retry.nonRetryable')} is no list of codes: give ['code', …].`)
  }
  return (
    rangeFault(of('retry.maxAttempts'), retry.maxAttempts, count) ??
    rangeFault(of('retry.initialMs'), retry.initialMs, duration) ??
    rangeFault(of('retry.factor'), retry.factor, { ...count, most: Number.MAX_VALUE }) ??
    rangeFault(of('retry.maxMs'), retry.maxMs, duration)
  )
}

function rangeFault(what: string, value: unknown, { least, most, says }: Range): Error | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number') return new TypeError(`${what} is ${kindOf(value)}: give ${says}.`)
  return value >= least && value <= most ? undefined : new RangeError(`${what} is ${value}: give ${says}.`)
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string')
const shown = (value: unknown) => (typeof value === 'string' ? `'${value.slice(0, 100)}'` : kindOf(value))

function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value)
  return `of type ${Array.isArray(value) ? 'list' : typeof value}`
}
