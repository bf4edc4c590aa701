import type { Dialect } from '../statement.ts'
import type { Migration } from './migration.ts'

function words(dialect: Dialect) {
  const sqlite = dialect === 'sqlite'
  return {
    int: sqlite ? 'INTEGER' : 'BIGINT',
    id: sqlite ? 'TEXT' : 'TEXT COLLATE "C"',
    number: sqlite ? '' : ', seq',
    json: (column: string) => (sqlite ? `json_quote(${column})` : `to_json(${column})::text`),
  }
}

function packed(dialect: Dialect): string[] {
  const { int, id, json } = words(dialect)
  return [
    // A row of a run holds all facts that one write brought, as a JSON array; its `type` is null, or `run.continued`
    // where one of them is. `seq` and `run_seq` are those of the last of them. Its rows are found from
    // `runs.last_seq` on by `prev`: an index by run would cost every append more than the row itself.
    `CREATE TABLE events_packed (seq ${int} PRIMARY KEY, count ${int} NOT NULL, run ${int}, run_seq ${int}, prev ${int},
      type TEXT, subject TEXT, job ${id}, actor TEXT, time_ms ${int} NOT NULL, data TEXT NOT NULL)`,
    `INSERT INTO events_packed (seq, count, type, subject, job, actor, time_ms, data)
      SELECT seq, 1, type, subject, job, actor, time_ms, data FROM events WHERE run IS NULL ORDER BY seq`,
    `INSERT INTO events_packed (seq, count, run, run_seq, prev, time_ms, data)
      SELECT seq, 1, run, run_seq, LAG(seq) OVER (PARTITION BY run ORDER BY seq), time_ms,
        '[["' || type || '",' || time_ms || ',' || data
          || CASE WHEN actor IS NULL THEN '' ELSE ',' || ${json('actor')} END || ']]'
      FROM events WHERE run IS NOT NULL ORDER BY seq`,
    ...replaceEvents('events_packed', dialect),
  ]
}

function unpacked(dialect: Dialect): string[] {
  const { int, id } = words(dialect)
  // PostgreSQL's other ways to a part of a JSON value unescape all of it, and refuse one that holds \\u0000.
  const parts = `json_array_elements(e.data::json) WITH ORDINALITY AS fact (value, place) CROSS JOIN LATERAL
    (SELECT array_agg(value::text ORDER BY place) AS parts
      FROM json_array_elements(fact.value) WITH ORDINALITY AS part (value, place)) AS split`
  const part = (place: number) =>
    dialect === 'sqlite'
      ? `json_extract(fact.value, '$[${place}]')`
      : `split.parts[${place + 1}]::json #>> '{}'`
  const [data, facts, index] =
    dialect === 'sqlite'
      ? [part(2), 'json_each(e.data) AS fact', 'fact.key']
      : ['split.parts[3]', parts, 'fact.place - 1']
  const runSeq = `e.run_seq - e.count + 1 + ${index}`
  // What counts as a run's number 0 is a fact of its job.
  const ofRun = (column: string) => `CASE WHEN ${runSeq} = 0 THEN NULL ELSE ${column} END`
  return [
    `CREATE TABLE events_single (seq ${int} PRIMARY KEY, run ${int}, run_seq ${int}, type TEXT NOT NULL, subject TEXT,
      job ${id}, actor TEXT, time_ms ${int} NOT NULL, data TEXT NOT NULL)`,
    `INSERT INTO events_single (seq, type, subject, job, actor, time_ms, data)
      SELECT seq, type, subject, job, actor, time_ms, data FROM events WHERE run IS NULL ORDER BY seq`,
    `INSERT INTO events_single (seq, run, run_seq, type, job, actor, time_ms, data)
      SELECT e.seq - e.count + 1 + ${index}, ${ofRun('e.run')}, ${ofRun(runSeq)}, ${part(0)},
        CASE WHEN ${runSeq} = 0 THEN r.job_id END, ${part(3)}, CAST(${part(1)} AS ${int}), ${data}
      FROM events e JOIN (SELECT ref, job_id FROM runs UNION ALL SELECT ref, job_id FROM deleted_runs) r ON r.ref = e.run
        CROSS JOIN ${facts} WHERE e.run IS NOT NULL ORDER BY e.seq`,
    ...replaceEvents('events_single', dialect),
  ]
}

function replaceEvents(table: string, dialect: Dialect): string[] {
  return [
    'DROP TABLE events',
    `ALTER TABLE ${table} RENAME TO events`,
    'CREATE INDEX events_job ON events (job) WHERE job IS NOT NULL',
    'CREATE INDEX events_subject ON events (subject) WHERE subject IS NOT NULL',
    `CREATE INDEX events_type ON events (type${words(dialect).number}) WHERE run IS NULL`,
  ]
}

/**
 * One row of the journal for what one write says of a run, and no index of it that every append would pay for. Jobs and
 * runs are listed by their ids, which grow with time.
 */
export const packedJournal: Migration = {
  version: 4,
  name: 'packed-journal',
  up(dialect) {
    const { int } = words(dialect)
    const watermark = `INSERT INTO settings (key, value) SELECT 'projected_seq', COALESCE(MAX(seq), 0) FROM events`
    return [
      ...packed(dialect),
      `ALTER TABLE deleted_runs ADD COLUMN last_seq ${int} NOT NULL DEFAULT 0`,
      `UPDATE deleted_runs SET last_seq = ended.seq
        FROM (SELECT run, MAX(seq) AS seq FROM events WHERE run IS NOT NULL GROUP BY run) AS ended
        WHERE ended.run = deleted_runs.ref`,
      ...['jobs_created', 'runs_created', 'runs_job'].map((index) => `DROP INDEX ${index}`),
      'CREATE INDEX runs_superseded ON runs (job_id) WHERE latest = 0',
      'ALTER TABLE runs DROP COLUMN log_lines',
      'ALTER TABLE runs ADD COLUMN late TEXT',
      // Only where one process writes may the tables of jobs and runs lag behind the journal.
      ...(dialect === 'sqlite' ? [watermark] : []),
    ]
  },
  down(dialect) {
    const { int } = words(dialect)
    return [
      ...unpacked(dialect),
      'CREATE INDEX events_run ON events (run, run_seq) WHERE run IS NOT NULL',
      'ALTER TABLE deleted_runs DROP COLUMN last_seq',
      'DROP INDEX runs_superseded',
      'CREATE INDEX jobs_created ON jobs (created_ms, id)',
      'CREATE INDEX runs_created ON runs (created_ms, id)',
      'CREATE INDEX runs_job ON runs (job_id)',
      `ALTER TABLE runs ADD COLUMN log_lines ${int} NOT NULL DEFAULT 0`,
      `UPDATE runs SET log_lines = logged.lines
        FROM (SELECT run, MAX(line) AS lines FROM logs GROUP BY run) AS logged WHERE logged.run = runs.ref`,
      'ALTER TABLE runs DROP COLUMN late',
      `DELETE FROM settings WHERE key = 'projected_seq'`,
    ]
  },
}
