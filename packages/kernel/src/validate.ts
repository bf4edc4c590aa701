import type { FieldError } from '@kyros/contract/problem'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { TSchema } from 'typebox'

export type Part = 'body' | 'query' | 'params'

const maxErrors = 20
// Listing every fault of a large body costs more memory than the body: beyond this only the first is named.
const maxExplainedBytes = 64 * 1024

const base = { strict: false, addUsedSchema: false, useDefaults: true, verbose: true } as const
// A query is text, so numbers and booleans in it are read from text. A body says what it means.
const engines = {
  body: { first: new Ajv(base), all: new Ajv({ ...base, allErrors: true }) },
  text: {
    first: new Ajv({ ...base, coerceTypes: true }),
    all: new Ajv({ ...base, coerceTypes: true, allErrors: true }),
  },
}
for (const pair of Object.values(engines)) {
  // The package is CommonJS and its types do not say that the function is also the module.
  const add = formats as unknown as (ajv: Ajv) => void
  add(pair.first)
  add(pair.all)
}

/** Checks one part of a request: the faults it has, or undefined. Fills in defaults. */
export type Check = (value: unknown, bytes?: number) => FieldError[] | undefined

/** Compiles on first use: a start does not pay for routes that nobody calls. */
export function createCheck(schema: TSchema, part: Part): Check {
  const pair = part === 'body' ? engines.body : engines.text
  let first: ValidateFunction | undefined
  let all: ValidateFunction | undefined
  return (value, bytes = 0) => {
    const zeros = part === 'body' ? [] : namesWithZeros(value)
    if (zeros.length > 0)
      return zeros.map((path) => ({ path, message: 'must not contain the character U+0000' }))
    first ??= pair.first.compile(schema)
    if (first(value)) return undefined
    if (bytes > maxExplainedBytes) return explain(first.errors ?? [], part)
    all ??= pair.all.compile(schema)
    all(value)
    return explain(all.errors ?? first.errors ?? [], part)
  }
}

/** What stands in an address is looked for in a database, and PostgreSQL's text cannot hold U+0000. */
function namesWithZeros(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const holdsZero = (field: unknown) =>
    [field].flat().some((text) => typeof text === 'string' && text.includes('\0'))
  return Object.entries(value).flatMap(([name, field]) => (holdsZero(field) ? [name] : []))
}

function explain(errors: ErrorObject[], part: Part): FieldError[] {
  const byPath = new Map<string, ErrorObject[]>()
  for (const error of errors) {
    const path = pathOf(error)
    const known = byPath.get(path)
    if (known) known.push(error)
    else if (byPath.size < maxErrors) byPath.set(path, [error])
  }
  return [...byPath].map(([path, found]) => ({
    path: part === 'body' ? path : path.slice(1),
    message: messageOf(found),
  }))
}

function pathOf(error: ErrorObject): string {
  const { missingProperty, additionalProperty } = error.params
  const name = error.keyword === 'required' ? missingProperty : additionalProperty
  if (typeof name !== 'string') return error.instancePath
  return `${error.instancePath}/${name.slice(0, 128).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function messageOf(errors: ErrorObject[]): string {
  // A union reports every branch: its types are joined, the sentence about the union itself says nothing.
  const telling = errors.filter((error) => error.keyword !== 'anyOf' && error.keyword !== 'oneOf')
  const types = telling
    .filter((error) => error.keyword === 'type')
    .map((error) => typeName(error.params.type))
  const [only] = telling.filter((error) => error.keyword !== 'type')
  if (only) return sentence(only)
  if (types.length > 0) return `must be ${[...new Set(types)].join(' or ')}`
  return 'has none of the forms that are allowed here'
}

function typeName(type: unknown): string {
  const name = String(type)
  if (name === 'null') return 'null'
  return /^[aeio]/.test(name) ? `an ${name}` : `a ${name}`
}

function plural(count: unknown, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

const words: ReadonlyMap<unknown, string> = new Map([
  ['>=', 'at least'],
  ['<=', 'at most'],
  ['>', 'above'],
  ['<', 'below'],
])

function sentence(error: ErrorObject): string {
  const example: unknown = error.parentSchema?.examples?.[0]
  const { limit, comparison, allowedValues, allowedValue, format } = error.params
  switch (error.keyword) {
    case 'required':
      return 'is missing'
    case 'additionalProperties':
      return 'is not a field that is known here'
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must be at least ${plural(limit, 'character')}`
    case 'maxLength':
      return `must be at most ${plural(limit, 'character')}`
    case 'minItems':
      return `must have at least ${plural(limit, 'item')}`
    case 'maxItems':
      return `must have at most ${plural(limit, 'item')}`
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `must be ${words.get(comparison) ?? comparison} ${limit}`
    case 'enum':
      return `must be one of: ${Array.isArray(allowedValues) ? allowedValues.join(', ') : ''}`
    case 'const':
      return `must be ${JSON.stringify(allowedValue)}`
    case 'format':
      return format === 'date-time' ? 'must be a time such as 2026-01-31T12:00:00Z' : `must be a ${format}`
    case 'pattern':
      return example === undefined
        ? `does not have the form ${error.params.pattern}`
        : `must look like ${example}`
    case 'minProperties':
      return `must have at least ${plural(limit, 'field')}`
    case 'maxProperties':
      return `must have at most ${plural(limit, 'field')}`
    default:
      return error.message ?? 'is not valid'
  }
}
