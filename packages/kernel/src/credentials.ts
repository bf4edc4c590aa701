import { problem } from '@kyros/contract/problem'
import type { FastifyRequest } from 'fastify'
import { readCookie } from './cookies.ts'
import type { Credentials } from './verifier.ts'

// Longer ones are refused unread: ours have a few hundred characters.
const maxCredentialLength = 8192

/** What a request presents: a bearer token, an API key or the session cookie, in that order. */
export function readCredentials(request: FastifyRequest): Credentials | undefined {
  const { authorization, cookie, 'x-api-key': apiKey } = request.headers
  if (authorization !== undefined) return { kind: 'bearer', token: bearerToken(authorization) }
  if (typeof apiKey === 'string') return { kind: 'api_key', key: bounded(apiKey) }
  const token = readCookie(cookie, request.server.edge.cookies.session)
  return token ? { kind: 'cookie', token: bounded(token) } : undefined
}

function bearerToken(header: string): string {
  const token = /^bearer +(\S+)$/i.exec(bounded(header))?.[1]
  if (token === undefined) {
    throw problem('token_invalid', { detail: 'Send "Authorization: Bearer <token>" with one token.' })
  }
  return token
}

function bounded(text: string): string {
  if (text.length <= maxCredentialLength) return text
  throw problem('token_invalid', { detail: 'The token is longer than any that is issued here.' })
}
