import type { User } from '@kyros/contract/auth'

/** A user as it goes over the wire: field by field, so that the hash of the password never does. */
export function presentUser({ id, email, role, active, created_at }: Omit<User, 'username'>): User {
  return { id, email, username: email, role, active, created_at }
}
