import { api } from '@kyros/contract/api'
import { problems, problemType } from '@kyros/contract/problem'
import type { Route } from '@kyros/contract/route'
import { openApiDocument, problemsOf } from './openapi-document.ts'
import { bodyExamples } from './openapi-examples.ts'
import { isSchema, openApiSchema, type PlainSchema, referredName } from './openapi-schema.ts'

type Operation = readonly [id: string, route: Route]

export type ReferenceSection = { title: string; slug: string; markdown: string }

/** The API as Markdown: a section for each tag of the contract, then the named schemas. */
export function apiReference(): ReferenceSection[] {
  const operations: Operation[] = Object.entries(api)
  const byTag = Map.groupBy(operations, ([, { tag }]) => tag)
  const sections = [...byTag].map(([tag, ofTag]) =>
    section(tag, ofTag.map(([id, route]) => operationText(id, route)).join('\n')),
  )
  return [...sections, section('Schemas', schemasText())]
}

function section(title: string, text: string): ReferenceSection {
  return { title, slug: anchor(title), markdown: `## ${title}\n\n${text}` }
}

export function anchor(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}

function operationText(id: string, route: Route): string {
  const { permission, success, stream, idempotent } = route
  const facts = [
    permission === 'public' ? 'No credentials needed.' : `Needs the role \`${permission}\` or a higher one.`,
    ...(stream ? ['With `Accept: text/event-stream` it streams and resumes with `Last-Event-ID`.'] : []),
    ...(idempotent ? ['Takes an `Idempotency-Key`.'] : []),
  ]
  const parts = [
    `### ${route.method} ${route.path}`,
    `${route.summary}. ${facts.join(' ')} Operation \`${id}\`.`,
    ...(route.params ? ['#### Path', fieldTable(plain(route.params))] : []),
    ...(route.query ? ['#### Query', fieldTable(plain(route.query))] : []),
    ...(route.body ? ['#### Body', schemaText(plain(route.body)), ...exampleText(id)] : []),
    `#### Answer ${success.status}`,
    success.schema ? schemaText(plain(success.schema)) : `\`${success.mediaType ?? 'application/json'}\``,
    '#### Problems',
    problemsOf(route)
      .toSorted((a, b) => problems[a].status - problems[b].status)
      .map((code) => `[${problems[code].status} ${code}](${problemType(code)})`)
      .join(', '),
  ]
  return `${parts.join('\n\n')}\n`
}

function exampleText(id: string): string[] {
  return Object.values(bodyExamples[id] ?? {}).map(
    ({ value }) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``,
  )
}

function plain(schema: NonNullable<Route['params']>): PlainSchema {
  return openApiSchema(schema, new Map())
}

function schemasText(): string {
  const { schemas } = openApiDocument('').components
  return Object.entries(schemas)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => `### ${name}\n\n${schemaText(schema)}\n`)
    .join('\n')
}

function schemaText(schema: PlainSchema): string {
  return isSchema(schema.properties) ? fieldTable(schema) : `${sentence(typeText(schema))}`
}

function sentence(type: string): string {
  return type === 'any' ? 'Any JSON.' : `${type}.`
}

function fieldTable(schema: PlainSchema): string {
  const fields = isSchema(schema.properties) ? Object.entries(schema.properties) : []
  if (fields.length === 0) return 'An object with fields of any name.'
  const required = Array.isArray(schema.required) ? schema.required : []
  const rows = fields.map(([name, field]) => {
    const part = isSchema(field) ? field : {}
    const need = required.includes(name) ? 'yes' : ''
    const about = typeof part.description === 'string' ? part.description : ''
    return `| \`${name}\` | ${typeText(part)} | ${need} | ${about.replaceAll('|', '/')} |`
  })
  return ['| field | type | required | |', '|---|---|---|---|', ...rows].join('\n')
}

function typeText(schema: PlainSchema): string {
  const name = referredName(schema)
  if (name !== undefined) return `[${name}](#${anchor(name)})`
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ')
  if ('const' in schema) return `\`${JSON.stringify(schema.const)}\``
  if (Array.isArray(schema.anyOf)) return schema.anyOf.filter(isSchema).map(typeText).join(' or ')
  if (schema.type === 'array') return `list of ${isSchema(schema.items) ? typeText(schema.items) : 'any'}`
  if (schema.type === 'object') return objectText(schema)
  if (schema.type === undefined) return 'any'
  return `${String(schema.type)}${limits(schema)}`
}

function objectText(schema: PlainSchema): string {
  if (!isSchema(schema.properties)) return 'object'
  return `object of ${Object.keys(schema.properties)
    .map((name) => `\`${name}\``)
    .join(', ')}`
}

function limits(schema: PlainSchema): string {
  const said = [
    ...(schema.format === 'date-time' ? ['time'] : []),
    ...range(schema.minLength, schema.maxLength, 'characters'),
    ...range(schema.minimum, schema.maximum, ''),
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ]
  return said.length === 0 ? '' : ` (${said.join(', ')})`
}

function range(from: unknown, to: unknown, unit: string): string[] {
  if (from === undefined && to === undefined) return []
  if (to === undefined) return [`from ${String(from)} ${unit}`.trim()]
  if (from === undefined) return [`up to ${String(to)} ${unit}`.trim()]
  return [`${String(from)} to ${String(to)} ${unit}`.trim()]
}
