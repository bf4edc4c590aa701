import type { Param, SqlValue } from '../statement.ts'

/** Arrays are for PostgreSQL's unnest; the code for SQLite yields a row at a time. */
export function asValues(params: readonly Param[]): SqlValue[] {
  return params.map((param) => {
    if (param === null || typeof param !== 'object') return param
    throw new TypeError('SQLite takes no arrays')
  })
}
