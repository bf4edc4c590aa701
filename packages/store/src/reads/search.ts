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
    const found = columns.map((column) => contains(dialect, word, column))
    return sql<SqlBool>`(${sql.join(found, sql` OR `)})`
  })
  return each.length === 0 ? sql<SqlBool>`1 = 1` : sql<SqlBool>`(${sql.join(each, sql` AND `)})`
}

function contains(dialect: Dialect, word: string, column: Expression<string | null>): RawBuilder<SqlBool> {
  // Both databases fold ASCII for sure. SQLite has nothing more, so `fold` is ours; it is dear, and used where it matters.
  if (/^[\x20-\x7e]*$/.test(word)) {
    const like = sql.raw(dialect === 'postgres' ? 'ILIKE' : 'LIKE')
    return sql<SqlBool>`${column} ${like} ${anywhere(word)} ESCAPE '\\'`
  }
  const lower = word.toLowerCase()
  if (dialect === 'sqlite') return sql<SqlBool>`fold(${column}) LIKE ${anywhere(lower)} ESCAPE '\\'`
  // PostgreSQL folds by the database's locale, and in the C locale only ASCII: the usual spellings are asked for.
  const spellings = new Set([lower, word.toUpperCase(), lower.charAt(0).toUpperCase() + lower.slice(1)])
  const each = [...spellings].map((text) => sql<SqlBool>`${column} ILIKE ${anywhere(text)} ESCAPE '\\'`)
  return sql<SqlBool>`(${sql.join(each, sql` OR `)})`
}

function anywhere(word: string): string {
  return `%${word.replaceAll(/[\\%_]/g, (char) => `\\${char}`)}%`
}
