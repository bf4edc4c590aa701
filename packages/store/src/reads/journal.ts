import { type Event, isRunEventType } from '@kyros/contract/event'
import { eventId } from '@kyros/contract/id'
import { type RawBuilder, sql } from 'kysely'
import { jobCreated, unpack } from '../facts.ts'
import { isoCached } from '../run-entry.ts'
import type { Dialect } from '../statement.ts'
import type { FollowOptions } from '../store.ts'
import type { RunName } from './run-names.ts'

/** A row of the journal: one fact that belongs to no run, or all facts of a run that one write brought. */
export type JournalRow = {
  /** The number of the last fact. */
  seq: number
  count: number
  run: number | null
  /** The number within the run of the last fact. */
  run_seq: number | null
  /** Where the run's facts before these are. */
  prev: number | null
  type: string | null
  subject: string | null
  job: string | null
  actor: string | null
  time_ms: number
  data: string
}

export type EventFilter = Pick<FollowOptions, 'jobId' | 'runId' | 'type' | 'subject'>

const columns = [
  'seq',
  'count',
  'run',
  'run_seq',
  'prev',
  'type',
  'subject',
  'job',
  'actor',
  'time_ms',
  'data',
]
const own = sql.raw(columns.join(', '))
const ofEvent = sql.raw(columns.map((column) => `e.${column}`).join(', '))

/** Numbers of rows, in a column `seq`. A row of a run stands for all that the run has before it. */
type Heads = RawBuilder<unknown>

export const headOfRun = (runId: string): Heads => sql`
  SELECT last_seq AS seq FROM runs WHERE id = ${runId}
  UNION ALL SELECT last_seq FROM deleted_runs WHERE id = ${runId}`

const headsOfJob = (jobId: string): Heads => sql`
  SELECT r.last_seq AS seq FROM jobs j JOIN runs r ON r.ref = j.run_ref WHERE j.id = ${jobId}
  UNION ALL SELECT last_seq FROM runs WHERE job_id = ${jobId} AND latest = 0
  UNION ALL SELECT last_seq FROM deleted_runs WHERE job_id = ${jobId}
  UNION ALL SELECT seq FROM events WHERE job = ${jobId}`

/** Subjects that follow from the run or the job are not stored, so they are looked for by those. */
function headsOfSubject(subject: string): Heads {
  const stored = sql`SELECT seq FROM events WHERE subject = ${subject}`
  if (subject.startsWith('runs/')) return sql`${headOfRun(subject.slice(5))} UNION ALL ${stored}`
  if (subject.startsWith('jobs/')) return sql`${headsOfJob(subject.slice(5))} UNION ALL ${stored}`
  return stored
}

/**
 * Where to look for what a filter asks for: it may be more than that, and never less. Undefined: in the whole log.
 */
export function headsOf({ runId, jobId, subject }: EventFilter): Heads | undefined {
  if (runId !== undefined) return headOfRun(runId)
  if (jobId !== undefined) return headsOfJob(jobId)
  return subject === undefined ? undefined : headsOfSubject(subject)
}

/** The rows of these heads and those before them, as `found`; `goesOn` says from which row `f` to the one before it, `e`. */
export function chain(heads: Heads, goesOn: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`WITH RECURSIVE found AS (
    SELECT ${ofEvent} FROM (${heads}) h JOIN events e ON e.seq = h.seq
    UNION ALL SELECT ${ofEvent} FROM found f JOIN events e ON e.seq = f.prev WHERE ${goesOn}
  ) SELECT ${own} FROM found`
}

export const wholeLog: RawBuilder<unknown> = sql`SELECT ${own} FROM events`

/** Narrows a search through the whole log; again perhaps less than is asked for. */
export function mayHold(type: string | undefined, dialect: Dialect): RawBuilder<unknown> {
  if (type === undefined) return sql`1 = 1`
  // `run IS NULL` lets the index of these types be used.
  if (!isRunEventType(type) && type !== jobCreated) return sql`run IS NULL AND type = ${type}`
  const name = `"${type}"`
  const within =
    dialect === 'sqlite' ? sql`instr(data, ${name}) > 0` : sql`position(${name}::text in data) > 0`
  return sql`(type = ${type} OR run IS NOT NULL AND ${within})`
}

/** The facts of a row, in order. */
export function toEvents(row: JournalRow, run: RunName | undefined): Event[] {
  if (row.run === null || run === undefined) return [toLoneEvent(row)]
  const first = row.seq - row.count + 1
  const firstOfRun = (row.run_seq ?? 0) - row.count + 1
  return unpack(row.data).map(([type, timeMs, data, actor], index) => {
    const run_seq = firstOfRun + index
    const ofJob = run_seq === 0
    return {
      id: eventId(timeMs, first + index),
      seq: first + index,
      ...(!ofJob && { run_seq }),
      type,
      subject: ofJob ? `jobs/${run.jobId}` : `runs/${run.id}`,
      job_id: run.jobId,
      ...(!ofJob && { run_id: run.id }),
      ...(typeof actor === 'string' && { actor }),
      time: isoCached(timeMs),
      data,
    }
  })
}

function toLoneEvent({ seq, type, subject, job, actor, time_ms, data }: JournalRow): Event {
  return {
    id: eventId(time_ms, seq),
    seq,
    type: type ?? '',
    subject: subject ?? `jobs/${job}`,
    ...(job !== null && { job_id: job }),
    ...(actor !== null && { actor }),
    time: isoCached(time_ms),
    data: JSON.parse(data),
  }
}

export function isWanted(event: Event, filter: EventFilter): boolean {
  return (
    (filter.runId === undefined || event.run_id === filter.runId) &&
    (filter.jobId === undefined || event.job_id === filter.jobId) &&
    (filter.type === undefined || event.type === filter.type) &&
    (filter.subject === undefined || event.subject === filter.subject)
  )
}
