import type { LogLine } from '@kyros/contract/run'
import type { Notices } from '../notices.ts'
import { iso } from '../run-entry.ts'
import type { Store } from '../store.ts'
import { current, type Database } from './database.ts'
import { oneOf } from './run-record.ts'

const levels = ['info', 'warn', 'error'] as const

export function createLogReads(database: Database, notices: Notices): Store['logs'] {
  const reads = current(database, {
    async list(runId: string, options: { after: number; limit: number; step?: string }): Promise<LogLine[]> {
      let query = database.db
        .selectFrom('logs')
        .innerJoin('runs', 'runs.ref', 'logs.run')
        .where('runs.id', '=', runId)
        .where('logs.line', '>', options.after)
      if (options.step !== undefined) query = query.where('logs.step', '=', options.step)
      const rows = await query.orderBy('logs.line').limit(options.limit).selectAll('logs').execute()
      return rows.map((row) => ({
        line: row.line,
        time: iso(row.time_ms),
        level: oneOf(levels, row.level),
        step: row.step,
        attempt: row.attempt,
        message: row.message,
      }))
    },
  })
  return { ...reads, changes: (runId, signal) => notices.changes(`logs/${runId}`, signal) }
}
