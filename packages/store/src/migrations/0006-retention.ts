import type { Migration } from './migration.ts'

/** When a blob was last put: one that nothing names yet may be about to be named. Files have a time of their own. */
export const retention: Migration = {
  version: 6,
  name: 'retention',
  up: (dialect) =>
    dialect === 'postgres' ? ['ALTER TABLE blobs ADD COLUMN put_ms BIGINT NOT NULL DEFAULT 0'] : [],
  down: (dialect) => (dialect === 'postgres' ? ['ALTER TABLE blobs DROP COLUMN put_ms'] : []),
}
