import type { Project } from '@kyros/contract/project'
import { type Selectable, sql } from 'kysely'
import { decodeCursor } from '../cursor.ts'
import { iso } from '../run-entry.ts'
import type { Store } from '../store.ts'
import type { Tables } from '../tables.ts'
import { type Database, guarded } from './database.ts'
import { cutPage, pageSize } from './page.ts'

export function createProjectReads(database: Database): Store['projects'] {
  const select = () => database.db.selectFrom('projects').selectAll()
  return guarded(database, {
    async byName(name: string) {
      const row = await select().where('name', '=', name).executeTakeFirst()
      return row && toProject(row)
    },
    async get(id: string) {
      const row = await select().where('id', '=', id).executeTakeFirst()
      return row && toProject(row)
    },
    async list(asked: { limit?: number; cursor?: string }) {
      const size = pageSize(asked.limit)
      let query = select()
      if (asked.cursor !== undefined) {
        const [createdMs, id] = decodeCursor(asked.cursor)
        query = query.where(sql<boolean>`(created_ms, id) > (${createdMs}, ${id})`)
      }
      const rows = await query
        .orderBy('created_ms')
        .orderBy('id')
        .limit(size + 1)
        .execute()
      return cutPage(rows, size, toProject, (row) => [row.created_ms, row.id] as const)
    },
  })
}

function toProject(row: Selectable<Tables['projects']>): Project {
  const { id, name, description, type, status, created_ms } = row
  return { id, name, description, type, status, created_at: iso(created_ms) }
}
