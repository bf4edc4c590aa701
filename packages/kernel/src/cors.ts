import type { FastifyReply, FastifyRequest } from 'fastify'

const exposed = 'ETag, Location, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID, Traceparent'
const allowedHeaders =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Traceparent, X-API-Key, X-Request-ID'
const preflightSeconds = 600

/** Headers that let a page of an allowed origin read the answer; others get none and the browser refuses. */
export function corsHeaders(
  allowed: ReadonlySet<string>,
  origin: string | undefined,
): Record<string, string> {
  if (origin === undefined || !allowed.has(origin)) return { vary: 'Origin' }
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': exposed,
    // The answer is meant for that page, so the resource policy must not undo it.
    'cross-origin-resource-policy': 'cross-origin',
  }
}

/** Answers a preflight of an allowed origin; true: it is answered. */
export function answerPreflight(
  allowed: ReadonlySet<string>,
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  const { origin, 'access-control-request-method': asked } = request.headers
  if (request.method !== 'OPTIONS' || !asked || origin === undefined || !allowed.has(origin)) return false
  reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': allowedHeaders,
      'access-control-max-age': String(preflightSeconds),
    })
    .send()
  return true
}
