import type { Migration } from './migration.ts'

const unfinished = `status IN ('pending', 'running', 'waiting') AND definition <> ''`

/** Which engine moves a run, and which one a message is for: each looks for its own alone. */
export const engines: Migration = {
  version: 7,
  name: 'engines',
  up: (dialect) => [
    `ALTER TABLE runs ADD COLUMN engine TEXT NOT NULL DEFAULT 'embedded'`,
    'DROP INDEX runs_unfinished',
    // One index for each and not one over both: its entries stay as small as they were, and new ones come at its end.
    // What is cheap to look at and mostly false comes first: every change of a run is held against both.
    `CREATE INDEX runs_unfinished ON runs (id) WHERE ${unfinished} AND engine = 'embedded'`,
    `CREATE INDEX runs_unfinished_temporal ON runs (id) WHERE engine = 'temporal' AND ${unfinished}`,
    `ALTER TABLE inbox ADD COLUMN engine TEXT NOT NULL DEFAULT 'embedded'`,
    // SQLite's index has the number in it already: it is the row's own.
    `CREATE INDEX inbox_engine ON inbox (engine${dialect === 'sqlite' ? '' : ', id'})`,
  ],
  down: () => [
    'DROP INDEX inbox_engine',
    'ALTER TABLE inbox DROP COLUMN engine',
    'DROP INDEX runs_unfinished_temporal',
    'DROP INDEX runs_unfinished',
    'ALTER TABLE runs DROP COLUMN engine',
    `CREATE INDEX runs_unfinished ON runs (id) WHERE ${unfinished}`,
  ],
}
