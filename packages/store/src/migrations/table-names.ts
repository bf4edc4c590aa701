/** Every table that a backup holds, in no particular order. Blobs are kept as files in a backup. */
export const tableNames = [
  ...['events', 'projects', 'jobs', 'runs', 'deleted_runs', 'run_counts', 'logs', 'streams'],
  ...['stream_chunks', 'artifacts'],
  ...['definitions', 'users', 'sessions', 'refresh_tokens', 'api_keys', 'views'],
  ...['idempotency', 'inbox', 'engine_lease', 'settings'],
] as const

/** Tables whose numbers the database gives. */
export const numberedTables = [
  { table: 'idempotency', column: 'ref' },
  { table: 'inbox', column: 'id' },
] as const
