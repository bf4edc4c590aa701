import { roles } from '@kyros/contract/auth'
import { isRunEventType } from '@kyros/contract/event'
import { priorities, type RunEngine } from '@kyros/contract/run'
import { sql } from 'kysely'
import { unpack } from '../facts.ts'
import { runStatus } from '../run-entry.ts'
import type { EngineCount, OpenRun, PastEvent } from '../store.ts'
import type { Database } from './database.ts'
import { oneOf } from './run-record.ts'

/** The words of the partial index of an engine: as parameters SQLite would not recognise them. */
export function isUnfinishedOn(engine: RunEngine) {
  return sql<boolean>`runs.status IN ('pending', 'running', 'waiting') AND runs.definition <> ''
    AND runs.engine = ${sql.lit(engine)}`
}

// Each statement is prepared once for a list as long as this.
const runsAtOnce = 250

/** Runs of an engine that have a definition and have not ended, oldest first: of a hundred thousand, every column counts. */
export async function readOpenRuns(
  { db }: Database,
  afterId: string | undefined,
  limit: number,
  engine: RunEngine,
): Promise<OpenRun[]> {
  let query = db
    .selectFrom('runs')
    .innerJoin('jobs', 'jobs.id', 'runs.job_id')
    .select(['runs.id', 'runs.workflow', 'runs.version', 'runs.definition', 'runs.attempt'])
    .select(['runs.max_retries', 'runs.timeout_seconds', 'runs.created_by', 'runs.created_by_role'])
    .select(['runs.status', 'runs.reason', 'runs.waiting_until', 'runs.cancel_requested', 'runs.started_ms'])
    .select(['runs.late', 'jobs.priority', sql<string>`COALESCE(runs.input, jobs.input)`.as('input')])
    .where(isUnfinishedOn(engine))
  if (afterId !== undefined) query = query.where('runs.id', '>', afterId)
  const rows = await query.orderBy('runs.id').limit(limit).execute()
  return rows.map((row) => ({
    id: row.id,
    type: row.workflow,
    version: row.version,
    definition: row.definition,
    attempt: row.attempt,
    max_retries: row.max_retries,
    timeout_seconds: row.timeout_seconds,
    priority: oneOf(priorities, row.priority),
    created_by: row.created_by,
    created_by_role: oneOf(roles, row.created_by_role),
    input: JSON.parse(row.input),
    status: runStatus(row),
    reason: row.reason,
    waiting_until: row.waiting_until,
    cancel_requested: row.cancel_requested === 1,
    startedMs: row.started_ms,
    ...pausedOrStirred(row.late),
  }))
}

/** How many of an engine's open runs are on each definition, by its hash. */
export async function countOnDefinitions(
  { db }: Database,
  engine: RunEngine,
): Promise<{ definition: string; count: number }[]> {
  const rows = await db
    .selectFrom('runs')
    .select(['runs.definition', (eb) => eb.fn.countAll<number>().as('count')])
    .where(isUnfinishedOn(engine))
    .groupBy('runs.definition')
    .execute()
  return rows.map(({ definition, count }) => ({ definition, count: Number(count) }))
}

/** How many of an engine's open runs have each status. */
export async function countOnEngine({ db }: Database, engine: RunEngine): Promise<EngineCount[]> {
  const rows = await db
    .selectFrom('runs')
    .select(['runs.status', (eb) => eb.fn.countAll<number>().as('count')])
    .where(isUnfinishedOn(engine))
    .groupBy('runs.status')
    .orderBy('runs.status')
    .execute()
  return rows.map((row) => ({ engine, status: runStatus(row), runs: Number(row.count) }))
}

/** Only the writer fills this column, with what the contract's fold made. */
function pausedOrStirred(late: string | null): Pick<OpenRun, 'paused' | 'stirred'> {
  if (late === null) return {}
  const { paused, stirred }: Pick<OpenRun, 'paused' | 'stirred'> = JSON.parse(late)
  return { paused, stirred }
}

type PastRow = { id: string; run_seq: number; count: number; data: string }

/** Of each run the events from its last `run.continued` on, or else all. */
export async function readHistories(
  { db }: Database,
  runIds: readonly string[],
): Promise<Map<string, PastEvent[]>> {
  const found = new Map<string, PastEvent[]>()
  for (let from = 0; from < runIds.length; from += runsAtOnce) {
    const some = runIds.slice(from, from + runsAtOnce)
    // A row that holds a `run.continued` says so in its type.
    const { rows } = await sql<PastRow>`WITH RECURSIVE found AS (
      SELECT r.id, e.seq, e.prev, e.type, e.run_seq, e.count, e.data
        FROM runs r JOIN events e ON e.seq = r.last_seq WHERE r.id IN (${sql.join(some)})
      UNION ALL SELECT f.id, e.seq, e.prev, e.type, e.run_seq, e.count, e.data
        FROM found f JOIN events e ON e.seq = f.prev WHERE f.type IS NULL
    ) SELECT id, run_seq, count, data FROM found ORDER BY seq`.execute(db)
    for (const row of rows) addRow(found, row)
  }
  return found
}

function addRow(found: Map<string, PastEvent[]>, { id, run_seq: lastRunSeq, count, data }: PastRow): void {
  let events = found.get(id)
  if (events === undefined) {
    events = []
    found.set(id, events)
  }
  let run_seq = lastRunSeq - count
  for (const [type, timeMs, data_, actor] of unpack(data)) {
    run_seq += 1
    // A row may begin with what belongs to the job.
    if (!isRunEventType(type)) continue
    // What was before a new beginning is in the same row, and no longer asked for.
    if (type === 'run.continued') events.length = 0
    // Border cast: the writer stored type and data together.
    events.push({ type, timeMs, data: data_, actor: actor ?? undefined, run_seq } as unknown as PastEvent)
  }
}
