import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * A strong entity tag of a JSON value: sha256 of its canonical text, in quotes. The text is Python's
 * `json.dumps(value, sort_keys=True)` (", " and ": ", ASCII only), so that a client of the older systems can
 * compute the tag of the body it received and finds the same one.
 */
export function entityTag(value: unknown): string {
  return `"${hash('sha256', canonicalText(value), 'hex')}"`
}

/** Answers with `body` and its tag, or with 304 when the caller already has just that. */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, body: unknown): FastifyReply {
  const etag = entityTag(body)
  reply.headers({ etag, 'cache-control': 'private, no-cache' })
  if (matchesEntityTag(request.headers['if-none-match'], etag)) return reply.code(304).send()
  return reply.send(body)
}

/** `If-None-Match`: a list of tags, weak or bare ones too, or `*`. Comparison is weak (RFC 9110 13.1.2). */
export function matchesEntityTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  const wanted = bare(tag)
  return header.split(',').some((candidate) => bare(candidate) === wanted)
}

function bare(tag: string): string {
  const trimmed = tag.trim()
  const strong = trimmed.startsWith('W/') ? trimmed.slice(2) : trimmed
  return strong.startsWith('"') && strong.endsWith('"') ? strong.slice(1, -1) : strong
}

function canonicalText(value: unknown): string {
  if (typeof value === 'string') return asciiString(value)
  if (value === null || value === undefined) return 'null'
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(', ')}]`
  let text = ''
  const fields = Object.entries(value)
  if (!isSorted(fields)) fields.sort(byName)
  for (const [name, field] of fields) {
    // What JSON leaves out of the body must not count in its tag.
    if (field === undefined) continue
    text += `${text === '' ? '' : ', '}${asciiString(name)}: ${canonicalText(field)}`
  }
  return `{${text}}`
}

type Field = readonly [name: string, value: unknown]

function byName([a]: Field, [b]: Field): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isSorted(fields: readonly Field[]): boolean {
  return fields.every((field, index) => index === 0 || byName(fields[index - 1] ?? field, field) <= 0)
}

const plainAscii = /^[ !#-[\]-~]*$/
const beyondAscii = /[\u007f-\uffff]/g

function asciiString(text: string): string {
  if (plainAscii.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(beyondAscii, escapeUnit)
}

function escapeUnit(unit: string): string {
  // Python leaves DEL as it is and escapes everything above it.
  return unit === '\u007f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
