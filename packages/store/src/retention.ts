import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { archiveJobs } from './archive.ts'
import type { Database } from './reads/database.ts'
import { isUnfinishedOn } from './reads/open-runs.ts'
import type { Retained, RetentionOptions, Store } from './store.ts'

/** Blobs with what only retention may do to them. */
export type SweptBlobs = Store['blobs'] & {
  /** Removes those that `isKept` does not name and that were put last longer ago than `ageMs`. */
  sweep(isKept: (sha256: string) => boolean, ageMs: number): Promise<{ removed: number; bytes: number }>
}

const rowsAtOnce = 5_000

export function createRetention(
  database: Database,
  store: Pick<Store, 'write' | 'jobs' | 'runs' | 'events' | 'logs' | 'artifacts'>,
  blobs: SweptBlobs,
): Store['retention'] {
  return {
    async run(options) {
      const endedBeforeMs = options.nowMs - options.olderThanMs
      const jobIds = await findOld(database, endedBeforeMs, options.limit)
      return remove(options, endedBeforeMs, jobIds)
    },
    async sweepBlobs({ graceMs }) {
      // First: a run that ends meanwhile is still counted, or the log already has all that it names.
      const sinceMs = await findOldestOnCluster(database)
      const named = await findNamed(database)
      // What a run on a cluster puts may come a little before its row: a child's is made from the parent's history.
      const ageMs = sinceMs === undefined ? graceMs : Math.max(0, Date.now() - sinceMs) + graceMs
      return blobs.sweep((sha256) => named.has(sha256), ageMs)
    },
  }

  async function remove(
    { archiveDir, nowMs, limit }: RetentionOptions,
    endedBeforeMs: number,
    jobIds: readonly string[],
  ): Promise<Retained> {
    const isArchived = archiveDir !== undefined && jobIds.length > 0
    const archive = isArchived ? await archiveJobs(store, blobs, jobIds, archiveDir, nowMs) : undefined
    const removed = await store.write({
      kind: 'remove_jobs',
      ...{ jobIds, endedBeforeMs, maxDeletedRuns: limit, timeMs: nowMs },
    })
    // The newest run stays whatever its age, and must not be looked for without end.
    const hasMore = removed.runs > 0 && (jobIds.length === limit || removed.runs >= limit)
    return { jobs: removed.jobs.length, runs: removed.runs, archive, hasMore }
  }
}

/** Jobs whose latest run has ended by then, oldest first. */
async function findOld(database: Database, endedBeforeMs: number, limit: number): Promise<string[]> {
  await database.current()
  const rows = await database.db
    .selectFrom('runs')
    .select('job_id')
    .where('latest', '=', 1)
    .where('completed_ms', '<=', endedBeforeMs)
    .where('ref', '<', (eb) =>
      eb.selectFrom('runs as newest').select((max) => max.fn.max<number>('newest.ref').as('ref')),
    )
    .orderBy('completed_ms')
    .limit(limit)
    .execute()
  return rows.map(({ job_id }) => job_id)
}

/**
 * When the oldest run that a cluster still moves was created. The cluster's history names large values in a form that
 * the log does not show (and may be encrypted), so nothing that was put since then can be told to be unneeded.
 */
async function findOldestOnCluster(database: Database): Promise<number | undefined> {
  await database.current()
  const row = await database.db
    .selectFrom('runs')
    .select((eb) => eb.fn.min<number | null>('runs.created_ms').as('created_ms'))
    .where(isUnfinishedOn('temporal'))
    .executeTakeFirst()
  return row?.created_ms ?? undefined
}

/** The blobs that something refers to: artifacts, and values of events that were too large for their row. */
async function findNamed(database: Database): Promise<Set<string>> {
  const { db } = database
  const named = new Set<string>()
  for (const { sha256 } of await db.selectFrom('artifacts').select('sha256').distinct().execute()) {
    named.add(sha256)
  }
  for (const { message } of await db.selectFrom('inbox').select('message').execute()) addNamed(named, message)
  const reference = '"$blob"'
  const within =
    database.dialect === 'sqlite'
      ? sql<boolean>`instr(data, ${reference}) > 0`
      : sql<boolean>`position(${reference}::text in data) > 0`
  const last = await db
    .selectFrom('events')
    .select((eb) => eb.fn.max<number | null>('seq').as('seq'))
    .executeTakeFirst()
  for (let from = 0; from < (last?.seq ?? 0); from += rowsAtOnce) {
    const query = db.selectFrom('events').select('data').where('seq', '>', from)
    for (const { data } of await query
      .where('seq', '<=', from + rowsAtOnce)
      .where(within)
      .execute()) {
      addNamed(named, data)
    }
    await nextTurn()
  }
  return named
}

function addNamed(named: Set<string>, text: string): void {
  for (const [, sha256] of text.matchAll(/"\$blob":"([0-9a-f]{64})"/g)) if (sha256) named.add(sha256)
}
