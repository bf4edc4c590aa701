import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import type { Steps } from '../statement.ts'

/** A definition is named by its hash, so storing it again changes nothing. */
export function* storeDefinition(
  { definition }: CommandOf<'store_definition'>,
  batch: Batch,
): Steps<Record<string, never>> {
  const { hash, name, version, source, createdMs } = definition
  const [added] = yield {
    sql: `INSERT INTO definitions (hash, name, version, source, created_ms) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (hash) DO NOTHING RETURNING hash`,
    params: [hash, name, version, source, createdMs],
  }
  if (!added) return {}
  const data = { hash, name, version }
  batch.emit({ type: 'definition.stored', subject: `definitions/${hash}`, timeMs: createdMs, data })
  return {}
}
