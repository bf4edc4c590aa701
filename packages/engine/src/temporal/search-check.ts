import type { SearchKind, SearchKinds } from './search-kinds.ts'
import type { TemporalFault } from './temporal-problem.ts'

/** What a namespace has, by name, with the numbers that Temporal's API has for types. */
export type RegisteredAttributes = {
  customAttributes?: { [name: string]: number } | null
  systemAttributes?: { [name: string]: number } | null
}

/** As Temporal's command line calls them, and by their numbers of temporal.api.enums.v1.IndexedValueType. */
const types = {
  keyword: { type: 'Keyword', number: 2 },
  int: { type: 'Int', number: 3 },
  double: { type: 'Double', number: 4 },
  bool: { type: 'Bool', number: 5 },
  datetime: { type: 'Datetime', number: 6 },
} as const satisfies { [kind in SearchKind]: object }

/** What keeps a namespace from taking the search attributes that are configured; undefined when it takes them. */
export function searchFault(
  wanted: SearchKinds,
  { customAttributes, systemAttributes }: RegisteredAttributes,
  { at, namespace }: { at: string; namespace: string },
): TemporalFault | undefined {
  const custom = new Map(Object.entries(customAttributes ?? {}))
  const system = new Set(Object.keys(systemAttributes ?? {}))
  const kinds = Object.entries(wanted)
  const refused = (what: string, mend: string): TemporalFault => ({ code: 'temporal_refused', what, mend })
  const [taken] = kinds.find(([name]) => system.has(name)) ?? []
  if (taken !== undefined) {
    const mend = 'Give it another name, and take it out of temporal.search_attributes.'
    return refused(`${at} has a search attribute ${taken} of its own.`, mend)
  }
  const other = kinds.find(([name, kind]) => custom.has(name) && custom.get(name) !== types[kind].number)
  if (other !== undefined) {
    const [name, kind] = other
    const what = `${at} has the search attribute ${name} in the namespace ${namespace}, but not as ${types[kind].type}.`
    return refused(what, `Mend its type in temporal.search_attributes.`)
  }
  const missing = kinds.filter(([name]) => !custom.has(name))
  if (missing.length === 0) return undefined
  const names = missing.map(([name]) => name).join(', ')
  const words = missing.map(([name, kind]) => `--name ${name} --type ${types[kind].type}`).join(' ')
  const command = `temporal operator search-attribute create --namespace ${namespace} ${words}`
  return refused(
    `${at} has no search attribute ${names} in the namespace ${namespace}.`,
    `Register it (${command}), or take it out of temporal.search_attributes.`,
  )
}
