import type { Artifact } from '@kyros/contract/run'
import type { Selectable } from 'kysely'
import { iso } from '../run-entry.ts'
import type { Store } from '../store.ts'
import type { Tables } from '../tables.ts'
import { current, type Database } from './database.ts'

export function createArtifactReads(database: Database): Store['artifacts'] {
  const ofRun = (runId: string) =>
    database.db
      .selectFrom('artifacts')
      .innerJoin('runs', 'runs.ref', 'artifacts.run')
      .where('runs.id', '=', runId)
      .selectAll('artifacts')
  return current(database, {
    async list(runId: string) {
      return (await ofRun(runId).orderBy('artifacts.name').execute()).map(toArtifact)
    },
    async get(runId: string, name: string) {
      const row = await ofRun(runId).where('artifacts.name', '=', name).executeTakeFirst()
      return row && toArtifact(row)
    },
  })
}

function toArtifact(row: Selectable<Tables['artifacts']>): Artifact {
  const { name, media_type, sha256, bytes, created_ms } = row
  return { name, media_type, sha256, bytes, created_at: iso(created_ms) }
}
