export type SqlValue = null | number | string
export type Row = Readonly<Record<string, unknown>>

export type Param = SqlValue | readonly SqlValue[]

/** One SQL text with `?` for its parameters, for both dialects. */
export type Statement = {
  sql: string
  params: readonly Param[]
  /** Executed once for each of these, which come in the place of `params`; SQLite only, nothing is read. */
  rows?: readonly (readonly SqlValue[])[]
  /** Holds the rows that are read until the commit. */
  lock?: boolean
  /** Nobody looks at the answer before the commit, so PostgreSQL need not be waited for. */
  blind?: boolean
}

/**
 * SQL written once: whoever runs the generator decides whether a statement is executed at once (SQLite) or
 * awaited (PostgreSQL). Gets the rows of a query back, and none of a change.
 */
export type Steps<R> = Generator<Statement, R, readonly Row[]>

export type Dialect = 'sqlite' | 'postgres'

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`Column ${column} is no text`)
  return value
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column)
}

export function int(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw new TypeError(`Column ${column} is no number`)
  return value
}

export function intOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : int(row, column)
}

/** The clock of a PostgreSQL in milliseconds since 1970, at this moment and not at the start of the transaction. */
export const databaseNowMs = 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)'

/** One statement as steps. */
export function* ask(sql: string): Steps<readonly Row[]> {
  return yield { sql, params: [] }
}

/** PostgreSQL's `$1` for each `?`. The statements here have no `?` in literals. */
export function numberPlaceholders(sql: string): string {
  let count = 0
  return sql.replaceAll('?', () => `$${++count}`)
}

/** Runs the steps on a database that answers at once. */
export function runSync<R>(steps: Steps<R>, execute: (statement: Statement) => readonly Row[]): R {
  let step = steps.next()
  while (!step.done) step = steps.next(execute(step.value))
  return step.value
}

/** Runs the steps on a database behind a connection. */
export async function runAsync<R>(
  steps: Steps<R>,
  execute: (statement: Statement) => Promise<readonly Row[]>,
): Promise<R> {
  let step = steps.next()
  while (!step.done) step = steps.next(await execute(step.value))
  return step.value
}
