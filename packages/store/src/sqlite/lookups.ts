import type { Lookups } from '../batch.ts'
import { answerFromRow, deleteAnswer, isTooOld, selectAnswer } from '../commands/replay-answer.ts'
import type { Ledger } from '../ledger.ts'
import { entryColumns, entryFromRow } from '../run-entry.ts'
import { int, type Row, type Statement } from '../statement.ts'

const selectRun = `SELECT ${entryColumns} FROM runs WHERE id = ?`
const selectRunId = 'SELECT 1 FROM runs WHERE id = ? UNION ALL SELECT 1 FROM deleted_runs WHERE id = ?'
const selectJobId = 'SELECT 1 FROM jobs WHERE id = ?'
const selectEpoch = 'SELECT epoch FROM engine_lease WHERE id = 1'
const selectLastLine = 'SELECT MAX(line) AS line FROM logs WHERE run = ?'

/** What the commands ask for, read when they ask: here the database answers at once. */
export function lookupsOn(ledger: Ledger, execute: (statement: Statement) => readonly Row[]): Lookups {
  const ask = (sql: string, ...params: (string | number)[]) => execute({ sql, params })
  return {
    run(runId) {
      const [row] = ask(selectRun, runId)
      return row && entryFromRow(row)
    },
    // Ids grow with time, so that those of new runs and jobs need no look into the tables.
    isTaken(runId, jobId) {
      if (runId <= ledger.lastRunId && ask(selectRunId, runId, runId).length > 0) return true
      return jobId !== undefined && jobId <= ledger.lastJobId && ask(selectJobId, jobId).length > 0
    },
    answer(asked) {
      const [row] = ask(selectAnswer, asked.key, asked.principal, asked.route)
      if (!row) return undefined
      if (!isTooOld(row, asked)) return answerFromRow(row)
      ask(deleteAnswer, int(row, 'ref'))
      return undefined
    },
    leaseEpoch() {
      const [row] = ask(selectEpoch)
      return row ? int(row, 'epoch') : 0
    },
    lastLine({ ref }) {
      const [row] = ask(selectLastLine, ref)
      return row && row.line !== null ? int(row, 'line') : 0
    },
  }
}
