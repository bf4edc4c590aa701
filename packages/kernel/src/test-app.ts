import type { Role } from '@kyros/contract/auth'
import { problem } from '@kyros/contract/problem'
import type { FastifyInstance } from 'fastify'
import { type FakeClock, fakeClock } from './fake-clock.ts'
import { type AppOptions, createApp } from './http-app.ts'
import { createLog, type Log } from './log.ts'
import type { Verifier } from './verifier.ts'

export type LoggedLine = Record<string, unknown>

/** An app for tests that knows one token per role (`viewer-token`, …) and keeps what it logs. */
export function testApp(options: AppOptions = {}): {
  app: FastifyInstance
  clock: FakeClock
  lines: LoggedLine[]
} {
  const clock = fakeClock()
  const { log, lines } = recordingLog()
  return { app: createApp({ verifier: tokenPerRole, clock, log, ...options }), clock, lines }
}

export function recordingLog(): { log: Log; lines: LoggedLine[] } {
  const lines: LoggedLine[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  return { log: createLog({ destination, level: 'debug' }), lines }
}

export const tokenPerRole: Verifier = async (credentials) => {
  const secret = credentials.kind === 'api_key' ? credentials.key : credentials.token
  const role = /^(viewer|operator|admin)-token$/.exec(secret)?.[1]
  if (!isRole(role)) throw problem('token_invalid', { detail: 'Sign in again.' })
  return { id: `user:${role}`, userId: role, role, via: credentials.kind }
}

function isRole(text: string | undefined): text is Role {
  return text === 'viewer' || text === 'operator' || text === 'admin'
}

export function bearer(role: Role): { authorization: string } {
  return { authorization: `Bearer ${role}-token` }
}
