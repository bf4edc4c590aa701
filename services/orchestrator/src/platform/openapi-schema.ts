import type { TSchema } from 'typebox'

/** A JSON Schema as plain data. */
export type PlainSchema = { [key: string]: unknown }

const componentPath = '#/components/schemas/'

/**
 * A schema of the contract as OpenAPI shows it: named ones become references, and what they say is put into
 * `components`.
 */
export function openApiSchema(schema: TSchema, components: Map<string, PlainSchema>): PlainSchema {
  // Through JSON, which drops what TypeBox keeps for types alone.
  return refer(JSON.parse(JSON.stringify(schema)), components)
}

function refer(schema: PlainSchema, components: Map<string, PlainSchema>): PlainSchema {
  const { $id, ...rest } = schema
  if (typeof $id !== 'string') return mapParts(rest, components)
  if (!components.has($id)) {
    // First the name, then the parts: a schema may hold itself.
    components.set($id, {})
    components.set($id, mapParts(rest, components))
  }
  return { $ref: `${componentPath}${$id}` }
}

function mapParts(schema: PlainSchema, components: Map<string, PlainSchema>): PlainSchema {
  const mapped: PlainSchema = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') mapped[key] = mapValues(value, components)
    else if (key === 'patternProperties') mapped.additionalProperties = anyOther(value, components)
    else mapped[key] = mapPart(value, components)
  }
  return mapped
}

function mapValues(value: unknown, components: Map<string, PlainSchema>): unknown {
  if (!isSchema(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapPart(part, components)]))
}

function mapPart(value: unknown, components: Map<string, PlainSchema>): unknown {
  if (Array.isArray(value)) return value.map((part) => mapPart(part, components))
  return isSchema(value) ? refer(value, components) : value
}

/** `Type.Record` says "any name" as a pattern; readers know it as additionalProperties. */
function anyOther(value: unknown, components: Map<string, PlainSchema>): unknown {
  const [only] = isSchema(value) ? Object.values(value) : []
  return isSchema(only) ? refer(only, components) : true
}

export function isSchema(value: unknown): value is PlainSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The name that a reference leads to. */
export function referredName(schema: PlainSchema): string | undefined {
  const { $ref } = schema
  return typeof $ref === 'string' ? $ref.slice(componentPath.length) : undefined
}
