import { api } from '@kyros/contract/api'
import type { User } from '@kyros/contract/auth'
import { problem } from '@kyros/contract/problem'
import { clientAddress } from '@kyros/kernel/client-address'
import { withoutControls } from '@kyros/kernel/pretty-line'
import { registerRoute } from '@kyros/kernel/route'
import type { Caller } from '@kyros/kernel/verifier'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { clearCookies, giveCookies, isBrowser, refreshCookie } from './browser-cookies.ts'
import type { AuthContext, Visitor } from './context.ts'
import { createApiKey } from './create-api-key.ts'
import { createUser } from './create-user.ts'
import { listSessions } from './list-sessions.ts'
import { createLoginThrottle, type LoginLimits } from './login-throttle.ts'
import { createPasswords } from './password.ts'
import { presentUser } from './present-user.ts'
import { refreshSession } from './refresh-session.ts'
import { refuseApiKey } from './refuse-api-key.ts'
import { revokeApiKey } from './revoke-api-key.ts'
import { revokeSession } from './revoke-session.ts'
import { signIn } from './sign-in.ts'
import { signOut } from './sign-out.ts'

export type AuthRoutesOptions = Pick<
  AuthContext,
  'store' | 'clock' | 'newId' | 'log' | 'tokens' | 'verifier'
> & {
  sessionIdleMs?: number
  refreshGraceMs?: number
  loginLimits?: LoginLimits
}

const dayMs = 24 * 3600 * 1000
const defaultIdleMs = 30 * dayMs
const defaultGraceMs = 30_000
const maxClientLength = 200

/** The routes under /auth; call what it returns with the app that has `options.verifier`. */
export function createAuthRoutes(options: AuthRoutesOptions): (app: FastifyInstance) => void {
  const context: AuthContext = {
    sessionIdleMs: defaultIdleMs,
    refreshGraceMs: defaultGraceMs,
    ...options,
    passwords: createPasswords(),
    throttle: createLoginThrottle(options.clock, options.loginLimits),
  }
  return (app) => {
    registerSignIn(app, context)
    registerUsers(app, context)
    registerApiKeys(app, context)
    registerSessions(app, context)
  }
}

function registerSignIn(app: FastifyInstance, context: AuthContext): void {
  const mediaTypes = ['application/json', 'application/x-www-form-urlencoded']
  registerRoute(
    app,
    api.login,
    async ({ body, request, reply }) => {
      const tokens = await signIn(context, body, visitorOf(request))
      if (isBrowser(request)) giveCookies(request, reply, tokens, context.sessionIdleMs)
      return tokens
    },
    { mediaTypes },
  )
  registerRoute(app, api.refresh, async ({ body, request, reply }) => {
    const cookie = refreshCookie(request)
    try {
      const tokens = await refreshSession(context, body.refresh_token ?? cookie)
      if (isBrowser(request) || cookie !== undefined)
        giveCookies(request, reply, tokens, context.sessionIdleMs)
      return tokens
    } catch (error) {
      // A browser that kept a dead token would try it for ever.
      if (cookie !== undefined && body.refresh_token === undefined) clearCookies(request, reply)
      throw error
    }
  })
  registerRoute(app, api.logout, async ({ caller, request, reply }) => {
    const answer = await signOut(context, caller)
    if (request.headers.cookie !== undefined) clearCookies(request, reply)
    return answer
  })
}

function registerUsers(app: FastifyInstance, context: AuthContext): void {
  const { store } = context
  registerRoute(app, api.currentUser, ({ caller }) => currentUser(context, caller))
  registerRoute(app, api.listUsers, async () => ({ users: (await store.users.list()).map(presentUser) }))
  registerRoute(app, api.createUser, ({ body, caller }) => createUser(context, body, caller.id))
}

function registerApiKeys(app: FastifyInstance, context: AuthContext): void {
  const { store } = context
  registerRoute(app, api.listApiKeys, async ({ caller }) => {
    refuseApiKey(caller)
    return { api_keys: await store.apiKeys.ofUser(caller.userId) }
  })
  registerRoute(app, api.createApiKey, ({ body, caller }) => {
    refuseApiKey(caller)
    return createApiKey(context, body, caller)
  })
  registerRoute(app, api.revokeApiKey, ({ params, caller }) => {
    refuseApiKey(caller)
    return revokeApiKey(context, params.id, caller)
  })
}

function registerSessions(app: FastifyInstance, context: AuthContext): void {
  registerRoute(app, api.listSessions, async ({ caller }) => ({
    sessions: await listSessions(context, caller),
  }))
  registerRoute(app, api.revokeSession, ({ params, caller }) => revokeSession(context, params.id, caller))
}

async function currentUser({ store }: AuthContext, caller: Caller): Promise<User> {
  const user = await store.users.get(caller.userId)
  if (user) return presentUser(user)
  throw problem('token_invalid', { detail: 'Its user is gone. Sign in again.' })
}

function visitorOf(request: FastifyRequest): Visitor {
  const client = withoutControls(request.headers['user-agent'] ?? '').slice(0, maxClientLength)
  return { client, address: clientAddress(request) }
}
