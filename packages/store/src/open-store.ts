import type { OpenStore, Store } from './store.ts'

/**
 * Opens the store that the options name and brings an older schema up to date.
 * @throws DataDirectoryError or DatabaseError, each with a message that says what to do
 */
export async function openStore(options: OpenStore): Promise<Store> {
  // Each database's driver is loaded only where it is used: it is a part of the time to start.
  if (options.databaseUrl !== undefined) {
    const { openPostgres } = await import('./postgres/open-postgres.ts')
    return openPostgres({ ...options, databaseUrl: options.databaseUrl })
  }
  const { openSqlite } = await import('./sqlite/open-sqlite.ts')
  return openSqlite(options)
}
