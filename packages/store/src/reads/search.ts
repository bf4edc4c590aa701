import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Dialect } from '../statement.ts'

const maxWords = 8

/** Every word of `q` occurs in one of the columns, whatever its case. */
export function matchesWords(
  dialect: Dialect,
  q: string,
  columns: readonly Expression<string | null>[],
): RawBuilder<SqlBool> {
  const words = q.trim().split(/\s+/).filter(Boolean).slice(0, maxWords)
  const each = words.map((word) => {
    const anywhere = columns.map((column) => contains(dialect, word, column))
    return sql<SqlBool>`(${sql.join(anywhere, sql` OR `)})`
  })
  return each.length === 0 ? sql<SqlBool>`1 = 1` : sql<SqlBool>`(${sql.join(each, sql` AND `)})`
}

function contains(dialect: Dialect, word: string, column: Expression<string | null>): RawBuilder<SqlBool> {
  const pattern = `%${word.replaceAll(/[\\%_]/g, (char) => `\\${char}`)}%`
  if (dialect === 'postgres') return sql<SqlBool>`${column} ILIKE ${pattern} ESCAPE '\\'`
  // SQLite folds ASCII only; `fold` is ours and dearer, so it is used where it matters.
  const isAscii = /^[\x20-\x7e]*$/.test(word)
  return isAscii
    ? sql<SqlBool>`${column} LIKE ${pattern} ESCAPE '\\'`
    : sql<SqlBool>`fold(${column}) LIKE ${pattern.toLowerCase()} ESCAPE '\\'`
}
