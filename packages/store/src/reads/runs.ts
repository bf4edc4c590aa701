import { attributesOf, type RunQuery } from '@kyros/contract/job'
import { type RunEngine, runEngines } from '@kyros/contract/run'
import { sql } from 'kysely'
import { decodeCursor } from '../cursor.ts'
import type { Store } from '../store.ts'
import { hasAttribute } from './attributes.ts'
import { isAnySet, toScan, totalOf } from './count.ts'
import { current, type Database } from './database.ts'
import {
  countOnDefinitions,
  countOnEngine,
  isUnfinishedOn,
  readHistories,
  readOpenRuns,
} from './open-runs.ts'
import { cutPage, firstIdAt, pageSize } from './page.ts'
import { type RunRow, toRecord, toSummary } from './run-record.ts'
import { matchesWords } from './search.ts'

export function createRunReads(database: Database): Store['runs'] {
  return current(database, {
    async get(id: string) {
      const row = await records(database).where('runs.id', '=', id).executeTakeFirst()
      return row && toRecord(row)
    },
    async many(ids: readonly string[]) {
      if (ids.length === 0) return []
      return (await records(database).where('runs.id', 'in', ids).execute()).map(toRecord)
    },
    async list(query: RunQuery) {
      const size = pageSize(query.limit)
      const { limit: _limit, cursor: _cursor, job_id, ...filters } = query
      // The few runs of one job have an index.
      const isWide = job_id === undefined && isAnySet(filters)
      const place = isWide ? await toScan(database, 'runs') : database
      const page = cutPage(await listRows(place, query, size + 1), size, toSummary, positionOf)
      const total = await countRuns(database, query)
      return { ...page, ...(total !== undefined && { total }) }
    },
    unfinished: (afterId: string | undefined, limit: number, engine: RunEngine = 'embedded') =>
      readOpenRuns(database, afterId, limit, engine),
    async unfinishedIds(afterId: string | undefined, limit: number, engine: RunEngine = 'embedded') {
      let query = database.db.selectFrom('runs').select('runs.id').where(isUnfinishedOn(engine))
      if (afterId !== undefined) query = query.where('runs.id', '>', afterId)
      return (await query.orderBy('runs.id').limit(limit).execute()).map(({ id }) => id)
    },
    async countByDefinition(engine?: RunEngine) {
      const counts = new Map<string, number>()
      for (const one of engine === undefined ? runEngines : [engine]) {
        for (const { definition, count } of await countOnDefinitions(database, one)) {
          counts.set(definition, (counts.get(definition) ?? 0) + count)
        }
      }
      return counts
    },
    async countByEngine() {
      const place = await toScan(database, 'runs')
      const counts = await Promise.all(runEngines.map((engine) => countOnEngine(place, engine)))
      return counts.flat()
    },
    histories: (runIds: readonly string[]) => readHistories(database, runIds),
  })
}

function positionOf(row: { created_ms: number; id: string }) {
  return [row.created_ms, row.id] as const
}

function records({ db }: Database) {
  return db
    .selectFrom('runs')
    .innerJoin('jobs', 'jobs.id', 'runs.job_id')
    .selectAll('runs')
    .select(['jobs.title as name', 'jobs.priority', 'jobs.project_id', 'jobs.input as job_input'])
    .$castTo<RunRow>()
}

function filtered({ db, dialect }: Database, asked: RunQuery) {
  let query = db.selectFrom('runs').innerJoin('jobs', 'jobs.id', 'runs.job_id')
  if (asked.status !== undefined) query = query.where('runs.status', '=', asked.status)
  if (asked.job_id !== undefined) {
    // The latest run of a job is found by the job; only the others have an index.
    query = query.where(sql<boolean>`(runs.ref = (SELECT run_ref FROM jobs WHERE id = ${asked.job_id})
      OR runs.job_id = ${asked.job_id} AND runs.latest = 0)`)
  }
  if (asked.project_id !== undefined) query = query.where('jobs.project_id', '=', asked.project_id)
  if (asked.type !== undefined) query = query.where('runs.workflow', '=', asked.type)
  if (asked.created_by !== undefined) query = query.where('runs.created_by', '=', asked.created_by)
  if (asked.engine !== undefined) query = query.where('runs.engine', '=', asked.engine)
  if (asked.start_date !== undefined) {
    const startMs = Date.parse(asked.start_date)
    query = query.where('runs.created_ms', '>=', startMs).where('runs.id', '>=', firstIdAt(startMs))
  }
  if (asked.end_date !== undefined) query = query.where('runs.created_ms', '<=', Date.parse(asked.end_date))
  for (const attribute of attributesOf(asked)) query = query.where(hasAttribute(dialect, attribute))
  if (asked.q !== undefined) {
    query = query.where((eb) =>
      matchesWords(dialect, asked.q ?? '', [eb.ref('jobs.title'), eb.ref('runs.workflow')]),
    )
  }
  return query
}

async function listRows(database: Database, asked: RunQuery, limit: number) {
  let query = filtered(database, asked)
  if (asked.cursor !== undefined) {
    const [, id] = decodeCursor(asked.cursor)
    query = query.where('runs.id', '<', id)
  }
  return query
    .selectAll('runs')
    .select(['jobs.title as name', 'jobs.priority', 'jobs.project_id'])
    .orderBy('runs.id', 'desc')
    .limit(limit)
    .execute()
}

function countRuns(database: Database, asked: RunQuery): Promise<number | undefined> {
  const { status, limit: _limit, cursor: _cursor, ...filters } = asked
  return totalOf(database, 'runs', status, isAnySet(filters), async () => {
    const row = await filtered(database, asked)
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(row.count)
  })
}
