import type { Stats } from '@kyros/contract/platform'
import { sql } from 'kysely'
import { iso } from '../run-entry.ts'
import { countsByStatus, toScan } from './count.ts'
import type { Database } from './database.ts'
import { firstIdAt } from './page.ts'

const hourMs = 60 * 60 * 1000
const dayHours = 24
/** The 95th percentile is of the newest runs when a day has more than these. */
const maxSampled = 10_000

/** Counts for the console; what spans a day is read from an index over that day alone. */
export async function readStats(database: Database, nowMs: number): Promise<Stats> {
  const sinceMs = nowMs - dayHours * hourMs
  const jobs = await countsByStatus(database, 'jobs')
  const runs = await countsByStatus(database, 'runs')
  // A day may have millions of runs.
  const place = await toScan(database, 'runs')
  const hours = await readHours(place, sinceMs, nowMs)
  const sum = (status: 'completed' | 'failed') => hours.reduce((total, hour) => total + hour[status], 0)
  const completed = sum('completed')
  const failed = sum('failed')
  return {
    as_of_seq: await readHead(database),
    jobs: Object.fromEntries(jobs),
    runs: Object.fromEntries(runs),
    last_24h: {
      started: await countStarted(place, sinceMs, nowMs),
      completed,
      failed,
      success_rate: completed + failed === 0 ? null : completed / (completed + failed),
      p95_seconds: await readP95(place, sinceMs, nowMs),
      hourly: hours,
    },
  }
}

async function readHead({ db }: Database): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((eb) => eb.fn.max<number | null>('seq').as('seq'))
    .executeTakeFirst()
  return row?.seq ?? 0
}

/** A run that timed out has failed as far as these numbers go; a cancelled one has done neither. */
async function readHours({ db }: Database, sinceMs: number, nowMs: number) {
  const hour = sql<number>`completed_ms / ${sql.lit(hourMs)}`
  const rows = await db
    .selectFrom('runs')
    .select([hour.as('hour'), 'status', (eb) => eb.fn.countAll<number>().as('count')])
    .where('completed_ms', '>', sinceMs)
    .where('completed_ms', '<=', nowMs)
    .groupBy([hour, 'status'])
    .execute()
  const first = Math.floor(sinceMs / hourMs) + 1
  const hours = Array.from({ length: dayHours }, (_, index) => ({
    hour: iso((first + index) * hourMs),
    completed: 0,
    failed: 0,
  }))
  for (const row of rows) {
    // What ended in the part of an hour before the first whole one counts with that one.
    const entry = hours[Math.max(row.hour - first, 0)]
    if (!entry) continue
    if (row.status === 'completed') entry.completed += Number(row.count)
    else if (row.status === 'failed' || row.status === 'timed_out') entry.failed += Number(row.count)
  }
  return hours
}

async function countStarted({ db }: Database, sinceMs: number, nowMs: number): Promise<number> {
  const row = await db
    .selectFrom('runs')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('id', '>=', firstIdAt(sinceMs))
    .where('created_ms', '>', sinceMs)
    .where('created_ms', '<=', nowMs)
    .where('started_ms', 'is not', null)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

async function readP95({ db }: Database, sinceMs: number, nowMs: number): Promise<number | null> {
  const rows = await db
    .selectFrom('runs')
    .select(['completed_ms', 'started_ms'])
    .where('status', '=', 'completed')
    .where('completed_ms', '>', sinceMs)
    .where('completed_ms', '<=', nowMs)
    .orderBy('completed_ms', 'desc')
    .limit(maxSampled)
    .execute()
  const durations = rows
    .flatMap(({ completed_ms, started_ms }) =>
      completed_ms === null || started_ms === null ? [] : [completed_ms - started_ms],
    )
    .sort((a, b) => a - b)
  const p95 = durations[Math.ceil(durations.length * 0.95) - 1]
  return p95 === undefined ? null : p95 / 1000
}
