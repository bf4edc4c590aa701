import type { Migration } from './migration.ts'

/** Filters that users keep under a name, for the lists of the console. */
export const views: Migration = {
  version: 2,
  name: 'views',
  up(dialect) {
    const int = dialect === 'sqlite' ? 'INTEGER' : 'BIGINT'
    const id = dialect === 'sqlite' ? 'TEXT' : 'TEXT COLLATE "C"'
    return [
      `CREATE TABLE views (id ${id} PRIMARY KEY, user_id ${id} NOT NULL, list TEXT NOT NULL, name TEXT NOT NULL,
        query TEXT NOT NULL, created_ms ${int} NOT NULL)`,
      'CREATE UNIQUE INDEX views_name ON views (user_id, list, name)',
    ]
  },
  down: () => ['DROP TABLE views'],
}
