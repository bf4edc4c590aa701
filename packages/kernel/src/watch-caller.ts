import { ProblemError } from '@kyros/contract/problem'
import type { FastifyRequest } from 'fastify'
import { readCredentials } from './credentials.ts'
import type { Caller } from './verifier.ts'

/**
 * Asks again and again whether the credentials of a long answer still hold, and calls `onLost` once when they do
 * not: signed out, revoked, expired, or worth another role. A verifier that cannot tell (its database is away)
 * takes nobody's stream. Gives what ends the watch.
 */
export function watchCaller(
  request: FastifyRequest,
  caller: Caller,
  intervalMs: number,
  onLost: () => void,
): () => void {
  let isAsking = false
  const ask = async () => {
    if (isAsking) return
    isAsking = true
    const holds = await stillHolds(request, caller)
    isAsking = false
    if (holds) return
    clearInterval(timer)
    onLost()
  }
  const timer = setInterval(ask, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}

async function stillHolds(request: FastifyRequest, caller: Caller): Promise<boolean> {
  try {
    const credentials = readCredentials(request)
    if (credentials === undefined) return false
    const { id, role } = await request.server.edge.verifier(credentials)
    return id === caller.id && role === caller.role
  } catch (error) {
    return !(error instanceof ProblemError && error.status === 401)
  }
}
