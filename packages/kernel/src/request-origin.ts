import { problem } from '@kyros/contract/problem'
import type { FastifyRequest } from 'fastify'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export function isSafeMethod(method: string): boolean {
  return safeMethods.has(method)
}

/**
 * Refuses a change that a page of another site asks a browser for: cookies, and the right to set them, travel
 * without the user's doing. The rules are those of Go's `CrossOriginProtection`: an allowed Origin passes, then
 * `Sec-Fetch-Site` decides, then Origin against Host; a request with neither does not come from a browser.
 * @throws request_origin_refused
 */
export function checkRequestOrigin(request: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  const { allowedOrigins, log } = request.server.edge
  if (origin !== undefined && allowedOrigins.has(origin)) return
  if (site === 'same-origin' || site === 'none') return
  if (site === undefined && (origin === undefined || originHost(origin) === request.host)) return
  log.security('origin.refused', { request_id: request.id, origin: origin?.slice(0, 200), site })
  throw problem('request_origin_refused', {
    detail: 'A page of another site sent this. Add its origin to ALLOWED_ORIGINS if that is wanted.',
  })
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
