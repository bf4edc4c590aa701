import { type RunStatus, runStatuses } from '@kyros/contract/run-status'

export const filterKeys = ['status', 'workflow', 'since', 'by', 'agent', 'attribute'] as const
export type FilterKey = (typeof filterKeys)[number]

export type ListQuery = {
  terms: { readonly [K in FilterKey]?: string }
  /** Everything that is not `key:value`. */
  text: string
  /** What cannot be understood, in words for the person who typed it. */
  problems: readonly string[]
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const

/** Reads `status:failed workflow:code_analysis since:2h some words`; values with spaces go in quotes. */
export function parseListQuery(input: string, keys: readonly FilterKey[]): ListQuery {
  const terms: { [K in FilterKey]?: string } = {}
  const text: string[] = []
  const problems: string[] = []
  for (const token of tokens(input)) {
    const term = splitTerm(token)
    if (term === undefined) {
      text.push(unquote(token))
      continue
    }
    const key = keys.find((known) => known === term.key)
    const problem = key === undefined ? unknownKey(term.key, keys) : valueProblem(key, term.value)
    if (problem !== undefined) problems.push(problem)
    else if (key !== undefined) terms[key] = term.value
  }
  return { terms, text: text.join(' '), problems }
}

/** The same query with one term set, or left out when `value` is undefined. Other words stay as they were typed. */
export function withTerm(input: string, key: FilterKey, value: string | undefined): string {
  const others = tokens(input).filter((token) => splitTerm(token)?.key !== key)
  const term = value === undefined ? [] : [`${key}:${quote(value)}`]
  return [...term, ...others].join(' ')
}

export function isRunStatus(text: string | undefined): text is RunStatus {
  return runStatuses.some((status) => status === text)
}

/** The moment that `2h`, `3d` or a date names; undefined when it names none. Rounded down to a minute. */
export function sinceTime(value: string, nowMs: number): string | undefined {
  const match = /^(\d{1,5})([smhdw])$/.exec(value)
  if (match !== null) {
    const [, amount, unit] = match
    const agoMs = Number(amount) * unitMs[asUnit(unit)]
    // A filter that changed with every millisecond would never find its cached list again.
    return new Date(Math.floor((nowMs - agoMs) / 60_000) * 60_000).toISOString()
  }
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(atMs) ? undefined : new Date(atMs).toISOString()
}

function asUnit(unit: string | undefined): keyof typeof unitMs {
  return unit === 's' || unit === 'm' || unit === 'd' || unit === 'w' ? unit : 'h'
}

function tokens(input: string): string[] {
  return input.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
}

function splitTerm(token: string): { key: string; value: string } | undefined {
  const match = /^([a-z_]+):(.*)$/s.exec(token)
  if (match === null) return undefined
  // `https://…` is something to search for, not a filter.
  if (match[2]?.startsWith('//')) return undefined
  return { key: match[1] ?? '', value: unquote(match[2] ?? '') }
}

function unquote(text: string): string {
  return text.replaceAll('"', '')
}

function quote(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value
}

function unknownKey(key: string, keys: readonly FilterKey[]): string {
  return `There is no filter “${key}:”. Known: ${keys.map((known) => `${known}:`).join(' ')}`
}

function valueProblem(key: FilterKey, value: string): string | undefined {
  if (value === '') return `“${key}:” needs a value`
  if (key === 'status' && !isRunStatus(value)) {
    return `There is no status “${value}”. Known: ${runStatuses.join(', ')}`
  }
  if (key === 'since' && sinceTime(value, 0) === undefined) {
    return `“since:${value}” is no time. Write 30m, 2h, 7d or a date such as 2026-01-31`
  }
  if (key === 'attribute' && !/^[^=]+=/.test(value)) {
    return `“attribute:${value}” names no value. Write attribute:customer=acme`
  }
  return undefined
}
