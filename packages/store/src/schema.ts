import type { Migration } from './migrations/migration.ts'
import { migrations } from './migrations/migrations.ts'
import { type Dialect, int, type Steps, text } from './statement.ts'

export type MigrationStatus = { version: number; name: string; appliedMs: number | null }

const journal = 'schema_migrations'

/** The number of the last migration that was applied; 0 for an empty database. */
export function* readVersion(dialect: Dialect): Steps<number> {
  if (!(yield* hasJournal(dialect))) return 0
  const [row] = yield { sql: `SELECT COALESCE(MAX(version), 0) AS version FROM ${journal}`, params: [] }
  return row ? int(row, 'version') : 0
}

/** The names of the tables that are there. */
export function* readTables(dialect: Dialect): Steps<Set<string>> {
  const sql =
    dialect === 'sqlite'
      ? `SELECT name FROM sqlite_schema WHERE type = 'table'`
      : 'SELECT tablename AS name FROM pg_catalog.pg_tables WHERE schemaname = current_schema()'
  const rows = yield { sql, params: [] }
  return new Set(rows.map((row) => text(row, 'name')))
}

export function* readStatus(dialect: Dialect, known = migrations): Steps<MigrationStatus[]> {
  const rows = (yield* hasJournal(dialect))
    ? yield { sql: `SELECT version, name, applied_ms FROM ${journal} ORDER BY version`, params: [] }
    : []
  const applied = new Map(rows.map((row) => [int(row, 'version'), row]))
  const ours = known.map(({ version, name }) => {
    const row = applied.get(version)
    applied.delete(version)
    return { version, name, appliedMs: row ? int(row, 'applied_ms') : null }
  })
  const foreign = [...applied.values()].map((row) => ({
    version: int(row, 'version'),
    name: text(row, 'name'),
    appliedMs: int(row, 'applied_ms'),
  }))
  return [...ours, ...foreign]
}

/** Applies what is missing, inside the caller's transaction; returns what it applied. */
export function* migrateUp(dialect: Dialect, nowMs: number, known = migrations): Steps<Migration[]> {
  yield* createJournal(dialect)
  const version = yield* readVersion(dialect)
  const missing = known.filter((migration) => migration.version > version)
  for (const migration of missing) {
    for (const sql of migration.up(dialect)) yield { sql, params: [] }
    yield {
      sql: `INSERT INTO ${journal} (version, name, applied_ms) VALUES (?, ?, ?)`,
      params: [migration.version, migration.name, nowMs],
    }
  }
  return missing
}

/** Takes the last `count` migrations back, inside the caller's transaction; returns what it took back. */
export function* migrateDown(dialect: Dialect, count: number, known = migrations): Steps<Migration[]> {
  const version = yield* readVersion(dialect)
  const applied = known.filter((migration) => migration.version <= version).toReversed()
  const undone = applied.slice(0, count)
  for (const migration of undone) {
    for (const sql of migration.down(dialect)) yield { sql, params: [] }
    yield { sql: `DELETE FROM ${journal} WHERE version = ?`, params: [migration.version] }
  }
  return undone
}

function* createJournal(dialect: Dialect): Steps<void> {
  const int = dialect === 'sqlite' ? 'INTEGER' : 'BIGINT'
  yield {
    sql: `CREATE TABLE IF NOT EXISTS ${journal}
      (version ${int} PRIMARY KEY, name TEXT NOT NULL, applied_ms ${int} NOT NULL)`,
    params: [],
  }
}

function* hasJournal(dialect: Dialect): Steps<boolean> {
  const sql =
    dialect === 'sqlite'
      ? `SELECT 1 AS found FROM sqlite_schema WHERE type = 'table' AND name = ?`
      : 'SELECT 1 AS found FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = ?'
  return (yield { sql, params: [journal] }).length > 0
}
