import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common'
import type { SearchKind, SearchKinds } from './search-kinds.ts'

/** What a run on a cluster knows of it: `own` is what it began with. */
export type RunSearch = { kinds: SearchKinds; own: { [name: string]: string } }

type Value = string | number | boolean

/** What of a run goes to a cluster in the clear; undefined where nothing does. */
export function searchOf(
  kinds: SearchKinds,
  { job_id, project_id, priority }: { job_id: string; project_id: string; priority: string },
): RunSearch | undefined {
  if (Object.keys(kinds).length === 0) return undefined
  const known = { KyrosJob: job_id, KyrosProject: project_id, KyrosPriority: priority }
  const own = Object.fromEntries(Object.entries(known).filter(([name]) => Object.hasOwn(kinds, name)))
  return { kinds, own }
}

/** What a run begins with. */
export function pairsOf({ own }: RunSearch): SearchAttributePair[] {
  return Object.entries(own).map(([name, value]) => keyword(name, value))
}

/** What a cluster is told of attributes that a definition sets, and which of them are no values of their type. */
export function searchPairs(
  { kinds, own }: RunSearch,
  attributes: { readonly [name: string]: Value },
): { pairs: SearchAttributePair[]; unfit: string[] } {
  const pairs: SearchAttributePair[] = []
  const unfit: string[] = []
  for (const [name, value] of Object.entries(attributes)) {
    const kind = Object.hasOwn(kinds, name) && !Object.hasOwn(own, name) ? kinds[name] : undefined
    if (kind === undefined) continue
    const pair = pairOf(name, kind, value)
    if (pair === undefined) unfit.push(`${name} (${kind})`)
    else pairs.push(pair)
  }
  return { pairs, unfit }
}

function pairOf(name: string, kind: SearchKind, value: Value): SearchAttributePair | undefined {
  switch (kind) {
    case 'keyword':
      return keyword(name, String(value))
    case 'int':
      return Number.isSafeInteger(value)
        ? { key: defineSearchAttributeKey(name, 'INT'), value: Number(value) }
        : undefined
    case 'double':
      return typeof value === 'number' ? { key: defineSearchAttributeKey(name, 'DOUBLE'), value } : undefined
    case 'bool':
      return typeof value === 'boolean' ? { key: defineSearchAttributeKey(name, 'BOOL'), value } : undefined
    case 'datetime': {
      // Without an offset it would be another instant on each worker.
      const date = new Date(typeof value === 'string' && isInstant.test(value) ? value : Number.NaN)
      if (Number.isNaN(date.getTime())) return undefined
      return { key: defineSearchAttributeKey(name, 'DATETIME'), value: date }
    }
  }
}

/** RFC 3339. */
const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i

/** Where Temporal keeps its index in an SQL database, a keyword has so many characters. */
const maxKeywordChars = 255

function keyword(name: string, value: string): SearchAttributePair {
  const text = value.length <= maxKeywordChars ? value : [...value].slice(0, maxKeywordChars).join('')
  return { key: defineSearchAttributeKey(name, 'KEYWORD'), value: text }
}
