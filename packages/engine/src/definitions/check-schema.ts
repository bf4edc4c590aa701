import type { JsonObject } from '@kyros/contract/json'

const maxDepth = 32
const kinds = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
const ofSchemas = [
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
] as const
const ofSchemaLists = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const
const ofSchemaMaps = ['properties', 'patternProperties', '$defs', 'definitions'] as const
const numbers =
  /^(minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf|minLength|maxLength|minItems|maxItems|minProperties|maxProperties)$/

/** The value as plain JSON Schema, or in words why it is none. */
export function readSchema(value: unknown): { schema: JsonObject } | { fault: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      fault: `it is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}, not an object`,
    }
  }
  if ('parse' in value && typeof value.parse === 'function') {
    return { fault: 'it is the schema of a validation library; convert it, as with z.toJSONSchema(schema)' }
  }
  const text = JSON.stringify(value)
  const schema: JsonObject = JSON.parse(text)
  const fault = faultOf(schema, '', 0)
  return fault === undefined ? { schema } : { fault }
}

function faultOf(schema: unknown, path: string, depth: number): string | undefined {
  if (typeof schema === 'boolean') return undefined
  const where = path === '' ? 'it' : path
  if (!isObject(schema)) return `${where} is not a schema`
  if (depth > maxDepth) return `${where} is nested deeper than ${maxDepth} levels`
  return ownFault(schema, where) ?? nestedFault(schema, path, depth)
}

function ownFault(schema: Record<string, unknown>, where: string): string | undefined {
  const { type, required, pattern, enum: choices, $ref: reference } = schema
  const types = type === undefined ? [] : Array.isArray(type) ? type : [type]
  const unknownType = types.find((kind) => !kinds.has(String(kind)))
  if (unknownType !== undefined) return `${where} has the unknown type ${JSON.stringify(unknownType)}`
  if (
    required !== undefined &&
    !(Array.isArray(required) && required.every((name) => typeof name === 'string'))
  ) {
    return `${where} has a required that is not a list of names`
  }
  if (choices !== undefined && !Array.isArray(choices)) return `${where} has an enum that is not a list`
  if (pattern !== undefined && !isPattern(pattern))
    return `${where} has a pattern that is no regular expression`
  if (reference !== undefined && !String(reference).startsWith('#')) {
    return `${where} refers to another document, which is not read`
  }
  const number = Object.keys(schema).find((key) => numbers.test(key) && typeof schema[key] !== 'number')
  return number === undefined ? undefined : `${where} has a ${number} that is not a number`
}

function nestedFault(schema: Record<string, unknown>, path: string, depth: number): string | undefined {
  const nested: [string, unknown][] = []
  for (const key of ofSchemas) if (schema[key] !== undefined) nested.push([`${path}/${key}`, schema[key]])
  for (const key of ofSchemaLists) {
    const list = schema[key]
    if (list === undefined) continue
    if (!Array.isArray(list)) return `${path}/${key} is not a list of schemas`
    for (const [index, one] of list.entries()) nested.push([`${path}/${key}/${index}`, one])
  }
  for (const key of ofSchemaMaps) {
    const map = schema[key]
    if (map === undefined) continue
    if (!isObject(map)) return `${path}/${key} does not name schemas`
    for (const [name, one] of Object.entries(map)) nested.push([`${path}/${key}/${name}`, one])
  }
  for (const [where, one] of nested) {
    const fault = faultOf(one, where, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && new RegExp(value, 'u') instanceof RegExp
  } catch {
    return false
  }
}
