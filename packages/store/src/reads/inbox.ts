import type { RunEngine } from '@kyros/contract/run'
import type { Notices } from '../notices.ts'
import type { Store } from '../store.ts'
import { type Database, guarded } from './database.ts'

export function createInboxReads(database: Database, notices: Notices): Store['inbox'] {
  const reads = guarded(database, {
    async list(afterId: number, limit: number, engine: RunEngine = 'embedded') {
      const rows = await database.db
        .selectFrom('inbox')
        .select(['id', 'message'])
        .where('engine', '=', engine)
        .where('id', '>', afterId)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(({ id, message }) => ({ id, message: JSON.parse(message) }))
    },
  })
  return { ...reads, changes: (signal) => notices.changes('inbox', signal) }
}
