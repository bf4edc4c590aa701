import { hash } from 'node:crypto'
import { canonicalJson, type Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { Route } from '@kyros/contract/route'
import type { FastifyRequest } from 'fastify'

/** Names one creation: the store keeps its answer for 24 hours under principal, route and key. */
export type IdempotencyKey = {
  principal: string
  route: string
  key: string
  /** Hash of the canonical body and the path's parameters: the same key with another request is refused. */
  fingerprint: string
}

const maxInFlight = 10_000

/**
 * Reads the Idempotency-Key of a request and holds it until `release`.
 * @throws idempotency_key_invalid, idempotency_key_in_flight
 */
export function reserveIdempotencyKey(
  route: Route,
  request: FastifyRequest,
): { key: IdempotencyKey; release: () => void } | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  const key = parseKey(header)
  const principal = request.caller?.id ?? 'anonymous'
  const name = `${route.method} ${route.path}`
  const held = request.server.edge.inFlightKeys
  const slot = `${principal}|${name}|${key}`
  if (held.has(slot) || held.size >= maxInFlight) {
    throw problem('idempotency_key_in_flight', {
      detail: 'Wait for the answer of the first request, then repeat this one.',
      retryAfterSeconds: 1,
    })
  }
  held.add(slot)
  return {
    key: { principal, route: name, key, fingerprint: fingerprint(request) },
    release: () => void held.delete(slot),
  }
}

/** The draft makes it a structured string (`"key"`); most clients send it bare. Both name the same key. */
function parseKey(header: string | string[]): string {
  const text = typeof header === 'string' ? header : ''
  const key =
    /^"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"$/.exec(text)?.[1] ??
    /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/.exec(text)?.[0]
  if (key !== undefined) return key
  throw problem('idempotency_key_invalid', {
    detail: 'Use 1 to 255 visible ASCII characters without quotes and backslashes; a UUID is a good key.',
  })
}

function fingerprint(request: FastifyRequest): string {
  // Both were parsed from JSON or from the path, so they are JSON.
  const { body, params } = request as { body?: Json; params?: Json }
  return hash('sha256', canonicalJson([body ?? null, params ?? null]), 'hex')
}
