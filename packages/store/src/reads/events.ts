import type { Event } from '@kyros/contract/event'
import type { EventQuery } from '@kyros/contract/platform'
import { sql } from 'kysely'
import { removedKey } from '../commands/remove-jobs.ts'
import { decodeCursor } from '../cursor.ts'
import type { Page } from '../store.ts'
import type { Database } from './database.ts'
import {
  chain,
  type EventFilter,
  headOfRun,
  headsOf,
  isWanted,
  type JournalRow,
  mayHold,
  toEvents,
  wholeLog,
} from './journal.ts'
import { cutPage, pageSize } from './page.ts'
import { RunNames } from './run-names.ts'

/** Facts with numbers above `after` and below `before`. */
type Range = { after: number; before: number; isBackwards: boolean }

/** A filter may throw away most of what was read. */
const rowsPerSearch = 1_000
/** To look through so many events takes longer than other requests should wait. */
const longScan = 20_000

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
      .select(['seq', 'count'])
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst()
    return row && row.seq - row.count + 1
  }

  /**
   * Where to go on from for who has read up to `seq`, if what came next is no longer in the log: taken out as a whole,
   * or here and there by retention.
   */
  async resumeAfter(seq: number): Promise<number | undefined> {
    const { db } = this.#database
    const first = await this.first()
    if (first === undefined || seq < first - 1) return first
    const removed = await db
      .selectFrom('settings')
      .select('value')
      .where('key', '=', removedKey)
      .executeTakeFirst()
    if (removed === undefined || seq >= Number(removed.value)) return undefined
    const next = await db
      .selectFrom('events')
      .select(['seq', 'count'])
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst()
    return next && Math.max(next.seq - next.count, seq) + 1
  }

  /** The next events after a number, in order. */
  after(seq: number, limit: number, filter: EventFilter = {}): Promise<Event[]> {
    return this.#search(filter, { after: seq, before: Infinity, isBackwards: false }, limit)
  }

  async ofRun(runId: string, afterRunSeq = 0, limit?: number): Promise<Event[]> {
    await this.#database.current()
    const found = chain(headOfRun(runId), sql`e.run_seq > ${afterRunSeq}`)
    const most = limit === undefined ? sql`` : sql` LIMIT ${limit + 1}`
    const { rows } = await sql<JournalRow>`${found} ORDER BY seq${most}`.execute(this.#database.db)
    const events = await this.#unpack(rows)
    const wanted = events.filter(({ run_seq }) => run_seq !== undefined && run_seq > afterRunSeq)
    return limit === undefined ? wanted : wanted.slice(0, limit)
  }

  /** In the order of numbers. With `before` alone the page ends there, and pages go towards the beginning. */
  async list(asked: EventQuery & { job_id?: string; run_id?: string }): Promise<Page<Event>> {
    const filter = {
      ...(asked.job_id !== undefined && { jobId: asked.job_id }),
      ...(asked.run_id !== undefined && { runId: asked.run_id }),
      ...(asked.type !== undefined && { type: asked.type }),
      ...(asked.subject !== undefined && { subject: asked.subject }),
    }
    const size = pageSize(asked.limit)
    const cursor = asked.cursor === undefined ? undefined : decodeCursor(asked.cursor)
    const isBackwards = cursor
      ? cursor[1] === 'before'
      : asked.before !== undefined && asked.after === undefined
    const after = Math.max(asked.after ?? 0, cursor && !isBackwards ? cursor[0] : 0)
    const before = Math.min(asked.before ?? Infinity, cursor && isBackwards ? cursor[0] : Infinity)
    const events = await this.#search(filter, { after, before, isBackwards }, size + 1)
    const direction = isBackwards ? 'before' : 'after'
    const cut = cutPage(
      events,
      size,
      (event) => event,
      (event) => [event.seq, direction] as const,
    )
    return isBackwards ? { ...cut, items: cut.items.toReversed() } : cut
  }

  /** The first so many in the direction of the range. */
  async #search(filter: EventFilter, range: Range, limit: number): Promise<Event[]> {
    const isFiltered = Object.keys(filter).length > 0
    const rowLimit = isFiltered ? Math.max(limit, rowsPerSearch) : limit
    const found: Event[] = []
    let { after, before } = range
    while (found.length < limit && after < before) {
      const rows = await this.#rows(filter, { ...range, after, before }, rowLimit)
      const events = await this.#unpack(range.isBackwards ? rows.toReversed() : rows)
      if (range.isBackwards) events.reverse()
      for (const event of events) {
        if (event.seq > after && event.seq < before && isWanted(event, filter)) found.push(event)
      }
      const last = rows.at(-1)
      if (rows.length < rowLimit || last === undefined) break
      if (range.isBackwards) before = last.seq - last.count + 1
      else after = last.seq
    }
    return found.slice(0, limit)
  }

  async #rows(filter: EventFilter, range: Range, limit: number): Promise<readonly JournalRow[]> {
    const { after, before, isBackwards } = range
    const heads = headsOf(filter)
    if (heads !== undefined) await this.#database.current()
    const rows = heads === undefined ? wholeLog : chain(heads, sql`f.prev > ${after}`)
    const held = heads === undefined ? mayHold(filter.type, this.#database.dialect) : sql`1 = 1`
    // The row in which `before` is may have facts below it.
    const below =
      before === Infinity
        ? sql``
        : sql` AND seq <= COALESCE((SELECT MIN(seq) FROM events WHERE seq >= ${before}), ${before})`
    const order = sql.raw(isBackwards ? 'DESC' : 'ASC')
    const query = sql<JournalRow>`${rows} WHERE seq > ${after} AND ${held}${below} ORDER BY seq ${order} LIMIT ${limit}`
    return (await query.execute(await this.#placeFor(filter, range))).rows
  }

  /** One of many events may be of a type that is asked for. */
  async #placeFor(filter: EventFilter, { after, before }: Range): Promise<Database['db']> {
    const { db, scanning } = this.#database
    if (filter.type === undefined || headsOf(filter) !== undefined) return db
    const isLong = Math.min(before, await this.head()) - after > longScan
    return isLong ? scanning : db
  }

  async #unpack(rows: readonly JournalRow[]): Promise<Event[]> {
    const names = await this.#names.ofRows(rows)
    return rows.flatMap((row) => toEvents(row, row.run === null ? undefined : names.get(row.run)))
  }
}
