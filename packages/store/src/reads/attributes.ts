import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'

/**
 * Whether a run has an attribute with a value, given as text: `3` finds the number and the text, `true` the boolean and
 * the text. The state of a run holds its attributes as JSON, and JSON is what is compared.
 */
export function hasAttribute(
  dialect: Database['dialect'],
  { name, value }: { name: string; value: string },
): RawBuilder<boolean> {
  const wanted = sql.join([JSON.stringify(value), ...otherKinds(value)])
  if (dialect === 'postgres') {
    return sql<boolean>`(runs.late::jsonb -> 'attributes' -> ${name}::text)::text IN (${wanted})`
  }
  return sql<boolean>`runs.late -> '$.attributes' -> ${`$.${JSON.stringify(name)}`} IN (${wanted})`
}

/** How else than as text the same may have been written down. */
function otherKinds(value: string): string[] {
  if (value === 'true' || value === 'false') return [value]
  const number = Number(value)
  return value.trim() !== '' && Number.isFinite(number) ? [JSON.stringify(number)] : []
}
