import type { Store } from '../store.ts'
import { type Database, guarded } from './database.ts'

export function createDefinitionReads(database: Database): Store['definitions'] {
  const { db } = database
  return guarded(database, {
    async get(hash: string) {
      const row = await db.selectFrom('definitions').selectAll().where('hash', '=', hash).executeTakeFirst()
      if (!row) return undefined
      const { name, version, source, created_ms } = row
      return { hash, name, version, source, createdMs: created_ms }
    },
    async list() {
      const rows = await db
        .selectFrom('definitions')
        .select(['hash', 'name', 'version', 'created_ms'])
        .orderBy('created_ms')
        .orderBy('hash')
        .execute()
      return rows.map(({ created_ms, ...row }) => ({ ...row, createdMs: created_ms }))
    },
  })
}
