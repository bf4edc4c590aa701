import type { Tokens } from '@kyros/contract/auth'
import { readCookie, setCookie } from '@kyros/kernel/cookies'
import type { FastifyReply, FastifyRequest } from 'fastify'

const refreshPath = '/auth'

/** Browsers say where a request comes from; programs do not, and have no use for cookies. */
export function isBrowser(request: FastifyRequest): boolean {
  return request.headers['sec-fetch-site'] !== undefined || request.headers.origin !== undefined
}

/** Keeps the tokens where no script can read them; the refresh token goes only to the addresses of /auth. */
export function giveCookies(
  request: FastifyRequest,
  reply: FastifyReply,
  tokens: Tokens,
  idleMs: number,
): void {
  write(request, reply, {
    session: { value: tokens.access_token, maxAgeSeconds: tokens.expires_in },
    refresh: { value: tokens.refresh_token, maxAgeSeconds: Math.floor(idleMs / 1000) },
  })
}

export function clearCookies(request: FastifyRequest, reply: FastifyReply): void {
  const gone = { value: '', maxAgeSeconds: 0 }
  write(request, reply, { session: gone, refresh: gone })
}

export function refreshCookie(request: FastifyRequest): string | undefined {
  return readCookie(request.headers.cookie, request.server.edge.cookies.refresh)
}

type Content = { value: string; maxAgeSeconds: number }

function write(
  request: FastifyRequest,
  reply: FastifyReply,
  content: { session: Content; refresh: Content },
): void {
  const { session, refresh, secure } = request.server.edge.cookies
  reply.header('set-cookie', [
    setCookie({ name: session, path: '/', secure, ...content.session }),
    setCookie({ name: refresh, path: refreshPath, secure, ...content.refresh }),
  ])
}
