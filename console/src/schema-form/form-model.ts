/** A field of a form made from JSON Schema. `path` leads to its value in the input. */
export type Field = {
  path: readonly string[]
  label: string
  help: string
  isRequired: boolean
  example: string | undefined
} & FieldKind

export type FieldKind =
  | {
      kind: 'text'
      minLength: number
      maxLength: number
      pattern: string | undefined
      /** What the author says of a text that does not fit the pattern. */
      patternMessage: string | undefined
      isLong: boolean
    }
  | { kind: 'number'; isInteger: boolean; minimum: number | undefined; maximum: number | undefined }
  | { kind: 'boolean' }
  | { kind: 'choice'; options: readonly Option[] }
  | { kind: 'choices'; options: readonly Option[]; minItems: number }
  | { kind: 'lines'; minItems: number; maxItems: number }
  | { kind: 'group'; fields: readonly Field[] }
  | { kind: 'json' }

export type Option = { value: string; label: string }

/** What was typed, by the path of the field; numbers and JSON stay text until they are complete. */
export type Draft = { readonly [path: string]: string | boolean | readonly string[] }

type Schema = { readonly [key: string]: unknown }

const longTextChars = 2_000
const maxDepth = 6

/** The fields of an object schema, in its order. What has no better widget is edited as JSON. */
export function fieldsOf(schema: unknown, path: readonly string[] = []): Field[] {
  const { properties, required } = asSchema(schema)
  const needed = Array.isArray(required) ? required : []
  return Object.entries(asSchema(properties)).map(([name, property]) => {
    const of = asSchema(property)
    return {
      path: [...path, name],
      label: textOf(of.title) ?? titled(name),
      help: textOf(of.description) ?? '',
      isRequired: needed.includes(name),
      example: exampleOf(of),
      ...kindOf(of, [...path, name]),
    }
  })
}

/** The key of a field in a draft and of its problem. */
export function keyOf(field: { path: readonly string[] }): string {
  return field.path.join('/')
}

/** What the fields begin with: the defaults of the schema. */
export function emptyDraft(schema: unknown): Draft {
  const draft: { [path: string]: Draft[string] } = {}
  const { properties } = asSchema(schema)
  for (const [name, property] of Object.entries(asSchema(properties))) {
    const preset = asSchema(property).default
    if (typeof preset === 'string' || typeof preset === 'boolean') draft[name] = preset
    else if (typeof preset === 'number') draft[name] = String(preset)
  }
  return draft
}

function kindOf(schema: Schema, path: readonly string[]): FieldKind {
  const options = optionsOf(schema)
  if (options !== undefined) return { kind: 'choice', options }
  switch (schema.type) {
    case 'boolean':
      return { kind: 'boolean' }
    case 'string':
      return textKind(schema)
    case 'number':
    case 'integer':
      return {
        kind: 'number',
        isInteger: schema.type === 'integer',
        minimum: numberOf(schema.minimum),
        maximum: numberOf(schema.maximum),
      }
    case 'array':
      return listKind(schema)
    case 'object': {
      const fields = path.length < maxDepth ? fieldsOf(schema, path) : []
      return fields.length > 0 ? { kind: 'group', fields } : { kind: 'json' }
    }
    default:
      return { kind: 'json' }
  }
}

function textKind(schema: Schema): FieldKind {
  const maxLength = numberOf(schema.maxLength) ?? Number.POSITIVE_INFINITY
  return {
    kind: 'text',
    minLength: numberOf(schema.minLength) ?? 0,
    maxLength,
    pattern: textOf(schema.pattern),
    patternMessage: textOf(schema.patternMessage),
    isLong: maxLength !== Number.POSITIVE_INFINITY && maxLength > longTextChars * 2,
  }
}

function listKind(schema: Schema): FieldKind {
  const items = asSchema(schema.items)
  const options = optionsOf(items)
  const minItems = numberOf(schema.minItems) ?? 0
  if (options !== undefined) return { kind: 'choices', options, minItems }
  const maxItems = numberOf(schema.maxItems) ?? Number.POSITIVE_INFINITY
  return items.type === 'string' ? { kind: 'lines', minItems, maxItems } : { kind: 'json' }
}

/** The choices of `enum`, or of `anyOf`/`oneOf` over constants; undefined when it is something else. */
function optionsOf(schema: Schema): Option[] | undefined {
  if (Array.isArray(schema.enum)) return texts(schema.enum).map((value) => ({ value, label: titled(value) }))
  const variants = schema.anyOf ?? schema.oneOf
  if (!Array.isArray(variants)) return undefined
  const options = variants.map(asSchema).map((variant) => {
    const value = textOf(variant.const)
    return value === undefined ? undefined : { value, label: textOf(variant.title) ?? titled(value) }
  })
  return options.every((option) => option !== undefined) ? options : undefined
}

function exampleOf({ examples }: Schema): string | undefined {
  const first: unknown = Array.isArray(examples) ? examples[0] : undefined
  if (first === undefined) return undefined
  return typeof first === 'string' ? first : JSON.stringify(first)
}

function titled(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function asSchema(value: unknown): Schema {
  // Any object may be read as a schema: each keyword is checked where it is used.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value) => typeof value === 'string')
}
