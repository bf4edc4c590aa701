import { DatabaseError } from '../open-error.ts'
import type { OpenStore, Store } from '../store.ts'

export async function openPostgres(options: OpenStore & { databaseUrl: string }): Promise<Store> {
  throw new DatabaseError('database_unreachable', `${options.dataDir}: PostgreSQL is not ready yet.`)
}
