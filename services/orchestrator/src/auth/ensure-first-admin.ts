import { randomBytes } from 'node:crypto'
import type { AuthContext } from './context.ts'
import { createPasswords } from './password.ts'

export type FirstAdminOptions = Pick<AuthContext, 'store' | 'newId' | 'clock'> & {
  email?: string | undefined
  password?: string | undefined
}

export type FirstAdmin = {
  /** False: there are users already, and nothing was changed. */
  created: boolean
  email: string
  /** Only when it was generated here: print it once, it is kept nowhere. */
  password?: string
}

const generatedBytes = 18

/** Makes the first admin while there is no user at all. Two processes that start at once make one. */
export async function ensureFirstAdmin(options: FirstAdminOptions): Promise<FirstAdmin> {
  const { store, newId, clock } = options
  const email = (options.email ?? 'admin@localhost').toLowerCase()
  if ((await store.users.count()) > 0) return { created: false, email }
  const password = options.password ?? randomBytes(generatedBytes).toString('base64url')
  const passwordHash = await createPasswords().hash(password)
  const { created } = await store.write({
    kind: 'create_user',
    user: { id: newId(), email, passwordHash, role: 'admin', createdMs: clock.nowMs() },
    actor: 'system',
    onlyIfNone: true,
  })
  return { created, email, ...(created && options.password === undefined && { password }) }
}
