import { foundation } from './0001-foundation.ts'
import { views } from './0002-views.ts'
import { bounds } from './0003-bounds.ts'
import { packedJournal } from './0004-packed-journal.ts'
import { streams } from './0005-streams.ts'
import { retention } from './0006-retention.ts'
import { engines } from './0007-engines.ts'
import type { Migration } from './migration.ts'

/** Every migration in the order of its number. */
export const migrations: readonly Migration[] = [
  foundation,
  views,
  bounds,
  packedJournal,
  streams,
  retention,
  engines,
]

/** What this Kyros needs; a database with a higher number belongs to a newer one. */
export const schemaVersion: number = migrations.at(-1)?.version ?? 0
