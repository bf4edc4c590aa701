import { type ApiKey, roles, type User } from '@kyros/contract/auth'
import type { Selectable } from 'kysely'
import { iso, isoOrNull } from '../run-entry.ts'
import type { Store, UserRecord } from '../store.ts'
import type { Tables } from '../tables.ts'
import { type Database, guarded } from './database.ts'
import { oneOf } from './run-record.ts'

/** How old the epoch may be on PostgreSQL, where another process may have revoked something. */
const epochFreshMs = 1_000

export function createUserReads(database: Database): Store['users'] {
  const select = () => database.db.selectFrom('users').selectAll()
  return guarded(database, {
    async count() {
      const row = await database.db
        .selectFrom('users')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(row.count)
    },
    async byEmail(email: string) {
      const row = await select().where('email', '=', email.toLowerCase()).executeTakeFirst()
      return row && toUserRecord(row)
    },
    async get(id: string) {
      const row = await select().where('id', '=', id).executeTakeFirst()
      return row && toUserRecord(row)
    },
    async list() {
      return (await select().orderBy('created_ms').orderBy('id').execute()).map(toUser)
    },
  })
}

/** The epoch is read once and kept until `invalidate` is called or, on PostgreSQL, it is a second old. */
export function createSessionReads(database: Database): Store['sessions'] & { invalidate(): void } {
  const { db, dialect } = database
  let epoch: { value: number; readMs: number } | undefined
  const live = (nowMs: number) =>
    db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .where('users.active', '=', 1)
      .where('sessions.revoked_ms', 'is', null)
      .where('sessions.expires_ms', '>', nowMs)
  const reads = guarded(database, {
    async ofUser(userId: string, nowMs: number) {
      const rows = await live(nowMs)
        .where('sessions.user_id', '=', userId)
        .selectAll('sessions')
        .orderBy('sessions.last_used_ms', 'desc')
        .orderBy('sessions.id', 'desc')
        .execute()
      return rows.map(toSession)
    },
    async isLive(id: string, nowMs: number) {
      const row = await live(nowMs).where('sessions.id', '=', id).select('sessions.id').executeTakeFirst()
      return row !== undefined
    },
    async revocationEpoch() {
      const isOld = dialect === 'postgres' && epoch && performance.now() - epoch.readMs > epochFreshMs
      if (epoch && !isOld) return epoch.value
      const readMs = performance.now()
      const row = await db
        .selectFrom('settings')
        .select('value')
        .where('key', '=', 'revocation_epoch')
        .executeTakeFirst()
      const value = Number(row?.value ?? 0)
      epoch = { value, readMs }
      return value
    },
  })
  return {
    ...reads,
    invalidate() {
      epoch = undefined
    },
  }
}

export function createApiKeyReads(database: Database): Store['apiKeys'] {
  const select = () =>
    database.db.selectFrom('api_keys').where('api_keys.revoked_ms', 'is', null).selectAll('api_keys')
  return guarded(database, {
    async byHash(hash: string) {
      const key = await select().where('api_keys.hash', '=', hash).executeTakeFirst()
      if (!key) return undefined
      const user = await database.db
        .selectFrom('users')
        .selectAll()
        .where('id', '=', key.user_id)
        .executeTakeFirst()
      return user && { ...toApiKey(key), user: toUser(user) }
    },
    async ofUser(userId: string) {
      const keys = await select()
        .where('api_keys.user_id', '=', userId)
        .orderBy('api_keys.created_ms')
        .orderBy('api_keys.id')
        .execute()
      return keys.map(toApiKey)
    },
  })
}

function toUser(row: Selectable<Tables['users']>): User {
  const { id, email, role, active, created_ms } = row
  return {
    id,
    email,
    username: email,
    role: oneOf(roles, role),
    active: active === 1,
    created_at: iso(created_ms),
  }
}

function toUserRecord(row: Selectable<Tables['users']>): UserRecord {
  return { ...toUser(row), password_hash: row.password_hash }
}

function toSession(row: Selectable<Tables['sessions']>) {
  const { id, user_id, client, address, created_ms, last_used_ms, expires_ms } = row
  return {
    id,
    user_id,
    client,
    address,
    created_at: iso(created_ms),
    last_used_at: iso(last_used_ms),
    expires_at: iso(expires_ms),
  }
}

function toApiKey(row: Selectable<Tables['api_keys']>): ApiKey {
  const { id, name, prefix, role, user_id, created_ms, expires_ms, last_used_ms } = row
  return {
    id,
    name,
    prefix,
    role: oneOf(roles, role),
    user_id,
    created_at: iso(created_ms),
    expires_at: isoOrNull(expires_ms),
    last_used_at: isoOrNull(last_used_ms),
  }
}
