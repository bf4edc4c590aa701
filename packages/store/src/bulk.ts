import type { Dialect, SqlValue, Steps } from './statement.ts'

type ColumnType = 'text' | 'bigint'
type Columns = Readonly<Record<string, ColumnType>>

/** Rows that a batch collects and writes together: one statement on PostgreSQL, a prepared one per row on SQLite. */
export type Bulk = { readonly one: string; readonly many: string; readonly width: number }

const run = {
  id: 'text',
  job_id: 'text',
  workflow: 'text',
  version: 'text',
  definition: 'text',
  attempt: 'bigint',
  max_retries: 'bigint',
  timeout_seconds: 'bigint',
  input: 'text',
  created_by: 'text',
  created_by_role: 'text',
  created_ms: 'bigint',
  engine: 'text',
} as const satisfies Columns

const runState = {
  latest: 'bigint',
  status: 'text',
  reason: 'text',
  reason_detail: 'text',
  waiting_until: 'text',
  cancel_requested: 'bigint',
  started_ms: 'bigint',
  completed_ms: 'bigint',
  updated_ms: 'bigint',
  last_seq: 'bigint',
  run_seq: 'bigint',
  steps_total: 'bigint',
  steps_completed: 'bigint',
  error: 'text',
  late: 'text',
  result: 'text',
} as const satisfies Columns

/** What an upgrade or a new part of a run brings; null where it stays. */
const bundle = { version: 'text', definition: 'text', engine: 'text' } as const satisfies Columns

/** The facts of a run that one write brought. */
export const insertRunFacts = insert('events', {
  seq: 'bigint',
  count: 'bigint',
  run: 'bigint',
  run_seq: 'bigint',
  prev: 'bigint',
  type: 'text',
  time_ms: 'bigint',
  data: 'text',
})
/** A fact that belongs to no run. */
export const insertFact = insert('events', {
  seq: 'bigint',
  count: 'bigint',
  type: 'text',
  subject: 'text',
  job: 'text',
  actor: 'text',
  time_ms: 'bigint',
  data: 'text',
})
export const insertJobs = insert('jobs', {
  id: 'text',
  run_ref: 'bigint',
  title: 'text',
  task: 'text',
  agent_id: 'text',
  workflow: 'text',
  priority: 'text',
  project_id: 'text',
  created_by: 'text',
  created_ms: 'bigint',
  input: 'text',
  metadata: 'text',
})
export const insertRuns = insert('runs', { ref: 'bigint', ...run, ...runState })
/** The key comes last in a row of an update. */
export const updateRuns = update('runs', { ...runState, ...bundle }, { ref: 'bigint' })
export const updateJobs = update('jobs', { run_ref: 'bigint' }, { id: 'text' })
export const insertLogs = insert('logs', {
  run: 'bigint',
  line: 'bigint',
  time_ms: 'bigint',
  level: 'text',
  step: 'text',
  attempt: 'bigint',
  message: 'text',
})
export const insertInbox = insert('inbox', { message: 'text', created_ms: 'bigint', engine: 'text' })
export const insertIdempotency = insert('idempotency', {
  principal: 'text',
  route: 'text',
  key: 'text',
  fingerprint: 'text',
  status: 'bigint',
  response: 'text',
  created_ms: 'bigint',
})

/** By how much the numbers of runs of a status change. */
export const addRunCounts = increase('run_counts', { status: 'text' }, { runs: 'bigint', jobs: 'bigint' })

/** Adds to the row of the key, and makes it where there is none. */
function increase(table: string, key: Columns, columns: Columns): Bulk {
  const { one, many, width } = insert(table, { ...key, ...columns })
  const sums = Object.keys(columns).map((name) => `${name} = ${table}.${name} + excluded.${name}`)
  const orAdd = ` ON CONFLICT (${Object.keys(key)}) DO UPDATE SET ${sums}`
  return { one: one + orAdd, many: many + orAdd, width }
}

function insert(table: string, columns: Columns): Bulk {
  const names = Object.keys(columns)
  return {
    one: `INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`,
    many: `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays(columns)})`,
    width: names.length,
  }
}

function update(table: string, columns: Columns, key: Columns): Bulk {
  const names = Object.keys(columns)
  const keys = Object.keys(key)
  // A result is written once, when the run completes; a later change of the run must not take it away.
  const isKept = (name: string) => name === 'result' || name in bundle
  const set = (name: string, value: string) =>
    isKept(name) ? `${name} = COALESCE(${value}, ${table}.${name})` : `${name} = ${value}`
  return {
    one: `UPDATE ${table} SET ${names.map((name) => set(name, '?'))} WHERE ${keys.map((name) => `${name} = ?`)}`,
    many: `UPDATE ${table} SET ${names.map((name) => set(name, `n.${name}`))}
      FROM unnest(${arrays({ ...columns, ...key })}) AS n (${[...names, ...keys]})
      WHERE ${keys.map((name) => `${table}.${name} = n.${name}`)}`,
    width: names.length + keys.length,
  }
}

function arrays(columns: Columns): string {
  return Object.values(columns)
    .map((type) => `?::${type}[]`)
    .join(', ')
}

export function* writeRows(dialect: Dialect, bulk: Bulk, rows: readonly SqlValue[][]): Steps<void> {
  if (rows.length === 0) return
  if (dialect === 'sqlite') {
    yield { sql: bulk.one, params: [], rows }
    return
  }
  const columns = Array.from({ length: bulk.width }, (_, column) => rows.map((row) => row[column] ?? null))
  yield { sql: bulk.many, params: columns, blind: true }
}
