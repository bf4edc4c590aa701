import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A strong entity tag of some text. */
export function etagOf(text: string): string {
  return `"${hash('sha256', text, 'base64url').slice(0, 27)}"`
}

/**
 * Answers with a body and its ETag, or with 304 when the client has just that. The tag is that of the body unless
 * one is given.
 */
export function replyWithEtag(
  request: FastifyRequest,
  reply: FastifyReply,
  body: unknown,
  etag?: string,
): FastifyReply {
  const text = JSON.stringify(body)
  const tag = etag ?? etagOf(text)
  reply.headers({ etag: tag, 'cache-control': 'private, no-cache' })
  if (matches(request.headers['if-none-match'], tag)) return reply.code(304).send()
  return reply.header('content-type', 'application/json; charset=utf-8').serializer(String).send(text)
}

/** RFC 9110 13.1.2: a list of tags or `*`, compared weakly. */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return [...header.matchAll(/"[^"]*"/g)].some(([opaque]) => opaque === tag)
}
