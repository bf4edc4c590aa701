import type { Migration } from './migration.ts'

/** What steps say while they run, beside the history: pieces of text or data that people follow. */
export const streams: Migration = {
  version: 5,
  name: 'streams',
  up(dialect) {
    const int = dialect === 'sqlite' ? 'INTEGER' : 'BIGINT'
    const name = dialect === 'sqlite' ? 'TEXT' : 'TEXT COLLATE "C"'
    const withoutRowid = dialect === 'sqlite' ? ' WITHOUT ROWID' : ''
    return [
      // How long each stream is, so that an append reads one small row per stream of its run.
      `CREATE TABLE streams (run ${int} NOT NULL, name ${name} NOT NULL, chunks ${int} NOT NULL, bytes ${int} NOT NULL,
        PRIMARY KEY (run, name))${withoutRowid}`,
      // One row for what was written together; `first` is the offset of its first chunk.
      `CREATE TABLE stream_chunks (run ${int} NOT NULL, name ${name} NOT NULL, first ${int} NOT NULL,
        count ${int} NOT NULL, time_ms ${int} NOT NULL, step TEXT NOT NULL, attempt ${int} NOT NULL, data TEXT NOT NULL,
        PRIMARY KEY (run, name, first))${withoutRowid}`,
    ]
  },
  down: () => ['DROP TABLE stream_chunks', 'DROP TABLE streams'],
}
