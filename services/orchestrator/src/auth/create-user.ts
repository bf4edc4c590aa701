import type { User, UserCreate } from '@kyros/contract/auth'
import type { AuthContext } from './context.ts'
import { presentUser } from './present-user.ts'

/**
 * Adds a user, who can sign in when this resolves.
 * @throws user_exists
 */
export async function createUser(
  { store, passwords, newId, clock }: Pick<AuthContext, 'store' | 'passwords' | 'newId' | 'clock'>,
  { email, password, role }: UserCreate,
  actor: string,
): Promise<User> {
  const createdMs = clock.nowMs()
  const user = {
    id: newId(),
    email: email.toLowerCase(),
    passwordHash: await passwords.hash(password),
    role,
    createdMs,
  }
  await store.write({ kind: 'create_user', user, actor })
  return presentUser({ ...user, active: true, created_at: new Date(createdMs).toISOString() })
}
