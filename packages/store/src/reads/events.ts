import { type Event, isRunEventType } from '@kyros/contract/event'
import { eventId } from '@kyros/contract/id'
import type { EventQuery } from '@kyros/contract/platform'
import { type Expression, type ExpressionBuilder, type Selectable, type SqlBool, sql } from 'kysely'
import { decodeCursor } from '../cursor.ts'
import { iso } from '../run-entry.ts'
import type { FollowOptions, Page } from '../store.ts'
import type { Tables } from '../tables.ts'
import type { Database } from './database.ts'
import { cutPage, pageSize } from './page.ts'
import { type RunName, RunNames } from './run-names.ts'

type EventRow = Selectable<Tables['events']>
export type EventFilter = Pick<FollowOptions, 'jobId' | 'runId' | 'type' | 'subject'>

/** Reads of the log. The log is the truth behind every stream: followers come back here when they fall behind. */
export class EventReads {
  readonly #database: Database
  readonly #names: RunNames

  constructor(database: Database) {
    this.#database = database
    this.#names = new RunNames(database)
  }

  async head(): Promise<number> {
    const row = await this.#database.db
      .selectFrom('events')
      .select((eb) => eb.fn.max<number | null>('seq').as('seq'))
      .executeTakeFirst()
    return row?.seq ?? 0
  }

  /** The smallest number that the log still has; undefined in an empty log. */
  async first(): Promise<number | undefined> {
    const row = await this.#database.db
      .selectFrom('events')
      .select((eb) => eb.fn.min<number | null>('seq').as('seq'))
      .executeTakeFirst()
    return row?.seq ?? undefined
  }

  /** The next events after a number, in order. */
  async after(seq: number, limit: number, filter: EventFilter = {}): Promise<Event[]> {
    const query = await this.#filtered(filter)
    if (query === undefined) return []
    const rows = await query.where('seq', '>', seq).orderBy('seq').limit(limit).selectAll().execute()
    return this.#toEvents(rows)
  }

  async ofRun(runId: string, afterRunSeq = 0, limit?: number): Promise<Event[]> {
    const ref = await this.#names.refOf(runId)
    if (ref === undefined) return []
    const query = this.#database.db
      .selectFrom('events')
      .selectAll()
      .where('run', '=', ref)
      .where('run_seq', '>', afterRunSeq)
      .orderBy('run_seq')
    const rows = await (limit === undefined ? query : query.limit(limit)).execute()
    return this.#toEvents(rows)
  }

  /** Of each run the events from its last `run.continued` on, or else all. */
  async histories(runIds: readonly string[]): Promise<Map<string, Event[]>> {
    const found = new Map<string, Event[]>()
    for (const runId of runIds) {
      const events = await this.ofRun(runId)
      const from = events.findLastIndex(({ type }) => type === 'run.continued')
      if (events.length > 0) found.set(runId, from > 0 ? events.slice(from) : events)
    }
    return found
  }

  /** In the order of numbers. With `before` alone the page ends there, and pages go towards the beginning. */
  async list(asked: EventQuery & { job_id?: string; run_id?: string }): Promise<Page<Event>> {
    const query = await this.#filtered({
      ...(asked.job_id !== undefined && { jobId: asked.job_id }),
      ...(asked.run_id !== undefined && { runId: asked.run_id }),
      ...(asked.type !== undefined && { type: asked.type }),
      ...(asked.subject !== undefined && { subject: asked.subject }),
    })
    if (query === undefined) return { items: [], nextCursor: null }
    const size = pageSize(asked.limit)
    const cursor = asked.cursor === undefined ? undefined : decodeCursor(asked.cursor)
    const isBackwards = cursor
      ? cursor[1] === 'before'
      : asked.before !== undefined && asked.after === undefined
    const after = Math.max(asked.after ?? 0, cursor && !isBackwards ? cursor[0] : 0)
    const before = Math.min(asked.before ?? Infinity, cursor && isBackwards ? cursor[0] : Infinity)
    let page = query.where('seq', '>', after)
    if (before !== Infinity) page = page.where('seq', '<', before)
    const rows = await page
      .orderBy('seq', isBackwards ? 'desc' : 'asc')
      .limit(size + 1)
      .selectAll()
      .execute()
    const direction = isBackwards ? 'before' : 'after'
    const cut = cutPage(
      rows,
      size,
      (row) => row,
      (row) => [row.seq, direction] as const,
    )
    const items = await this.#toEvents(isBackwards ? cut.items.toReversed() : cut.items)
    return { items, nextCursor: cut.nextCursor }
  }

  /** Undefined when nothing can match: there is no such run. */
  async #filtered(filter: EventFilter) {
    const { db } = this.#database
    let query = db.selectFrom('events')
    if (filter.type !== undefined) {
      query = query.where('type', '=', filter.type)
      // Says what is so anyway, and lets the index of these types be used.
      if (!isRunEventType(filter.type)) query = query.where('run', 'is', null)
    }
    if (filter.runId !== undefined) {
      const ref = await this.#names.refOf(filter.runId)
      if (ref === undefined) return undefined
      query = query.where('run', '=', ref)
    }
    if (filter.jobId !== undefined) {
      const { jobId } = filter
      query = query.where((eb) => isOfJob(eb, jobId))
    }
    if (filter.subject !== undefined) {
      const { subject } = filter
      const runRef = subject.startsWith('runs/') ? await this.#names.refOf(subject.slice(5)) : undefined
      query = query.where((eb) => isAbout(eb, subject, runRef))
    }
    return query
  }

  async #toEvents(rows: readonly EventRow[]): Promise<Event[]> {
    const names = await this.#names.ofRefs(rows.flatMap(({ run }) => (run === null ? [] : [run])))
    return rows.map((row) => toEvent(row, row.run === null ? undefined : names.get(row.run)))
  }
}

type Builder = ExpressionBuilder<Tables, 'events'>

function isOfJob(eb: Builder, jobId: string): Expression<SqlBool> {
  return eb.or([
    eb('events.job', '=', jobId),
    eb(
      'events.run',
      'in',
      eb
        .selectFrom('runs')
        .select('runs.ref')
        .where('runs.job_id', '=', jobId)
        .unionAll(
          eb.selectFrom('deleted_runs').select('deleted_runs.ref').where('deleted_runs.job_id', '=', jobId),
        ),
    ),
  ])
}

/** Subjects that follow from the run or the job are not stored, so they are looked for by those. */
function isAbout(eb: Builder, subject: string, runRef: number | undefined): Expression<SqlBool> {
  const alternatives: Expression<SqlBool>[] = [eb('events.subject', '=', subject)]
  if (runRef !== undefined) alternatives.push(eb('events.run', '=', runRef))
  if (subject.startsWith('jobs/')) {
    const ofJob = eb('events.job', '=', subject.slice(5))
    alternatives.push(eb.and([ofJob, sql<boolean>`events.subject IS NULL`]))
  }
  return eb.or(alternatives)
}

function toEvent(row: EventRow, run: RunName | undefined): Event {
  const jobId = row.job ?? run?.jobId
  const derived = run ? `runs/${run.id}` : `jobs/${jobId}`
  return {
    id: eventId(row.time_ms, row.seq),
    seq: row.seq,
    ...(row.run_seq !== null && { run_seq: row.run_seq }),
    type: row.type,
    subject: row.subject ?? derived,
    ...(jobId !== undefined && { job_id: jobId }),
    ...(run && { run_id: run.id }),
    ...(row.actor !== null && { actor: row.actor }),
    time: iso(row.time_ms),
    data: JSON.parse(row.data),
  }
}
