import type { Migration } from './migration.ts'

/** What keeps reads and pruning from looking at everything: events by type, and what has ended of people's sessions. */
export const bounds: Migration = {
  version: 3,
  name: 'bounds',
  up: (dialect) => [
    // SQLite's index has the number in it already: it is the row's own. The facts of runs are the bulk of the log and
    // come in a few types: an index entry for each would cost a quarter of all appends.
    `CREATE INDEX events_type ON events (type${dialect === 'sqlite' ? '' : ', seq'}) WHERE run IS NULL`,
    'CREATE INDEX sessions_expires ON sessions (expires_ms)',
    'CREATE INDEX sessions_revoked ON sessions (revoked_ms) WHERE revoked_ms IS NOT NULL',
    'CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_ms)',
  ],
  down: () =>
    ['refresh_tokens_expires', 'sessions_revoked', 'sessions_expires', 'events_type'].map(
      (index) => `DROP INDEX ${index}`,
    ),
}
