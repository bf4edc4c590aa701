import type { Role, Tokens } from '@kyros/contract/auth'
import { cookieNames } from '@kyros/kernel/cookies'
import { fakeClock } from '@kyros/kernel/fake-clock'
import { createApp } from '@kyros/kernel/http-app'
import { createNewId } from '@kyros/kernel/new-id'
import { recordingLog } from '@kyros/kernel/test-app'
import { openStore } from '@kyros/store/open-store'
import { onTestFinished } from 'vitest'
import { type AuthOptions, createAuth } from './create-auth.ts'
import { createUser } from './create-user.ts'
import { createPasswords } from './password.ts'

export const secretKey = 'a secret of at least thirty-two characters'
export const password = 'correct horse battery'

export type TestAuth = Awaited<ReturnType<typeof testAuth>>

/** The auth routes over a real store in memory, with one user per role: `<role>@kyros.test`. */
export async function testAuth(options: Partial<AuthOptions> & { isSecure?: boolean } = {}) {
  const { isSecure = false, ...rest } = options
  const store = rest.store ?? (await openStore({ dataDir: ':memory:' }))
  const clock = fakeClock()
  const newId = createNewId(clock)
  const { log, lines } = recordingLog()
  const auth = createAuth({ store, secretKey, clock, newId, log, ...rest })
  const cookies = cookieNames({ port: 8000, secure: isSecure })
  const app = createApp({ verifier: auth.verifier, clock, log, cookies })
  auth.registerRoutes(app)
  onTestFinished(async () => {
    await app.close()
    if (!rest.store) await store.close()
  })
  const passwords = createPasswords()
  const user = (role: Role) =>
    createUser({ store, passwords, newId, clock }, { email: `${role}@kyros.test`, password, role }, 'test')
  const login = (username: string, word = password, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/auth/login', headers, payload: { username, password: word } })
  const signIn = async (role: Role): Promise<Tokens> => {
    if (!(await store.users.byEmail(`${role}@kyros.test`))) await user(role)
    return (await login(`${role}@kyros.test`)).json()
  }
  const post = (url: string, payload: object, token?: string) =>
    app.inject({ method: 'POST', url, headers: token ? bearer(token) : {}, payload })
  const get = (url: string, token: string) => app.inject({ url, headers: bearer(token) })
  return { app, store, clock, newId, log, lines, user, login, signIn, post, get, ...auth }
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}
