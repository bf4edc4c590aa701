import { atLeast, type Role } from './auth.ts'

/** Who asks: a user, in person or through one of the API keys that the user has. */
type Person = { userId: string; role: Role }

/**
 * Whether somebody may stop, repeat or change what `owner` (`created_by` of a job) made: who made it in person or with a
 * key of theirs, and admins. The API decides by this, and the console offers nothing else.
 */
export function mayActOn(person: Person, owner: string, apiKeys: readonly { id: string }[]): boolean {
  if (person.role === 'admin') return true
  if (!atLeast(person.role, 'operator')) return false
  return owner === `user:${person.userId}` || apiKeys.some(({ id }) => owner === `key:${id}`)
}
