import type { Job, JobQuery } from '@kyros/contract/job'
import { priorities } from '@kyros/contract/run'
import type { Selectable } from 'kysely'
import { decodeCursor } from '../cursor.ts'
import { iso, isoOrNull, stateFromRow } from '../run-entry.ts'
import type { Store } from '../store.ts'
import type { Tables } from '../tables.ts'
import { isAnySet, toScan, totalOf } from './count.ts'
import { current, type Database } from './database.ts'
import { cutPage, firstIdAt, pageSize } from './page.ts'
import { oneOf } from './run-record.ts'
import { matchesWords } from './search.ts'

const runStateColumns = [
  ...(['runs.attempt', 'runs.status', 'runs.reason', 'runs.reason_detail', 'runs.waiting_until'] as const),
  ...(['runs.cancel_requested', 'runs.started_ms', 'runs.completed_ms', 'runs.updated_ms'] as const),
  ...(['runs.last_seq', 'runs.run_seq', 'runs.steps_total', 'runs.steps_completed'] as const),
  ...(['runs.error', 'runs.late', 'runs.result', 'runs.id as run_id'] as const),
] as const

type JobRow = Selectable<Tables['jobs']> &
  Omit<Selectable<Tables['runs']>, keyof Selectable<Tables['jobs']>> & { run_id: string }

export function createJobReads(database: Database): Store['jobs'] {
  return current(database, {
    async get(id: string) {
      const row = await rows(joined(database).where('jobs.id', '=', id)).executeTakeFirst()
      return row && toJob(row)
    },
    async list(query: JobQuery) {
      const size = pageSize(query.limit)
      const { limit: _limit, cursor: _cursor, sort: _sort, ...filters } = query
      const place = isAnySet(filters) ? await toScan(database, 'jobs') : database
      const page = cutPage(await listRows(place, query, size + 1), size, toJob, positionOf)
      const total = await countJobs(database, query)
      return { ...page, ...(total !== undefined && { total }) }
    },
  })
}

function positionOf(row: { created_ms: number; id: string }) {
  return [row.created_ms, row.id] as const
}

function joined({ db }: Database) {
  return db.selectFrom('jobs').innerJoin('runs', 'runs.ref', 'jobs.run_ref')
}

function rows(query: ReturnType<typeof joined>) {
  return query.selectAll('jobs').select(runStateColumns).$castTo<JobRow>()
}

function filtered(database: Database, asked: JobQuery) {
  let query = joined(database)
  if (asked.status !== undefined) query = query.where('runs.status', '=', asked.status)
  if (asked.agent_id !== undefined) query = query.where('jobs.agent_id', '=', asked.agent_id)
  if (asked.project_id !== undefined) query = query.where('jobs.project_id', '=', asked.project_id)
  if (asked.workflow !== undefined) query = query.where('jobs.workflow', '=', asked.workflow)
  if (asked.created_after !== undefined) {
    const createdMs = Date.parse(asked.created_after)
    query = query.where('jobs.created_ms', '>', createdMs).where('jobs.id', '>=', firstIdAt(createdMs))
  }
  if (asked.q !== undefined) {
    query = query.where((eb) =>
      matchesWords(database.dialect, asked.q ?? '', [eb.ref('jobs.title'), eb.ref('jobs.task')]),
    )
  }
  return query
}

function listRows(database: Database, asked: JobQuery, limit: number): Promise<JobRow[]> {
  const isOldestFirst = asked.sort === 'created_at'
  let query = filtered(database, asked)
  if (asked.cursor !== undefined) {
    const [, id] = decodeCursor(asked.cursor)
    query = query.where('jobs.id', isOldestFirst ? '>' : '<', id)
  }
  const direction = isOldestFirst ? 'asc' : 'desc'
  // Ids grow with time, so their order is that of creation.
  return rows(query.orderBy('jobs.id', direction).limit(limit)).execute()
}

function countJobs(database: Database, asked: JobQuery): Promise<number | undefined> {
  const { status, limit: _limit, cursor: _cursor, sort: _sort, ...filters } = asked
  return totalOf(database, 'jobs', status, isAnySet(filters), async () => {
    const row = await filtered(database, asked)
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(row.count)
  })
}

function toJob(row: JobRow): Job {
  const state = stateFromRow(row)
  return {
    id: row.id,
    title: row.title,
    name: row.title,
    task: row.task,
    agent_id: row.agent_id,
    workflow: row.workflow,
    status: state.status,
    reason: state.reason,
    reason_detail: state.reason_detail,
    priority: oneOf(priorities, row.priority),
    project_id: row.project_id,
    run_id: row.run_id,
    attempt: row.attempt,
    created_by: row.created_by,
    created_at: iso(row.created_ms),
    updated_at: isoOrNull(row.updated_ms),
    started_at: state.started_at,
    completed_at: state.completed_at,
    steps_total: state.steps_total,
    steps_completed: state.steps_completed,
    input: JSON.parse(row.input),
    metadata: JSON.parse(row.metadata),
    result: row.result === null ? null : JSON.parse(row.result),
    error: state.error,
  }
}
