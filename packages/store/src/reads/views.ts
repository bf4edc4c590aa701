import { type SavedView, type ViewList, viewLists } from '@kyros/contract/saved-view'
import { iso } from '../run-entry.ts'
import type { Store } from '../store.ts'
import { type Database, guarded } from './database.ts'

export function createViewReads(database: Database): Store['views'] {
  return guarded(database, {
    async ofUser(userId: string, list?: ViewList) {
      let query = database.db.selectFrom('views').selectAll().where('user_id', '=', userId)
      if (list !== undefined) query = query.where('list', '=', list)
      const rows = await query.orderBy('name').orderBy('id').execute()
      return rows.flatMap((row): SavedView[] => {
        const known = viewLists.find((one) => one === row.list)
        if (known === undefined) return []
        return [
          { id: row.id, list: known, name: row.name, query: row.query, created_at: iso(row.created_ms) },
        ]
      })
    },
  })
}
