import type { RunStatus } from '@kyros/contract/run-status'
import type { Database } from './database.ts'

/** Beyond this many rows a filtered list has no total: counting would cost more than the page. */
export const maxCounted = 10_000

/** Runs or jobs by status, from the counters that every commit keeps. */
export async function countsByStatus({ db }: Database, what: 'runs' | 'jobs'): Promise<Map<string, number>> {
  const rows = await db.selectFrom('run_counts').select(['status', 'runs', 'jobs']).execute()
  return new Map(rows.filter((row) => row[what] > 0).map((row) => [row.status, row[what]]))
}

/** Where to ask what may look at every row: a small table is read sooner than anybody else could be asked to. */
export async function toScan(database: Database, what: 'runs' | 'jobs'): Promise<Database> {
  const all = sum(await countsByStatus(database, what))
  return all <= maxCounted ? database : { ...database, db: database.scanning }
}

/**
 * The total of a list: from the counters where only the status is asked for, counted where the table is small,
 * and otherwise not known.
 */
export async function totalOf(
  database: Database,
  what: 'runs' | 'jobs',
  status: RunStatus | undefined,
  isFiltered: boolean,
  countRows: () => Promise<number>,
): Promise<number | undefined> {
  const counts = await countsByStatus(database, what)
  const all = sum(counts)
  if (!isFiltered) return status === undefined ? all : (counts.get(status) ?? 0)
  return all <= maxCounted ? countRows() : undefined
}

function sum(counts: ReadonlyMap<string, number>): number {
  return counts.values().reduce((total, count) => total + count, 0)
}

export function isAnySet(filters: object): boolean {
  return Object.values(filters).some((value) => value !== undefined)
}
