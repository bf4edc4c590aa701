import type { Event } from '@kyros/contract/event'
import { idTimeMs } from '@kyros/contract/id'
import { type ProblemError, problem } from '@kyros/contract/problem'
import type { Clock } from '@kyros/kernel/clock'
import type { Store } from '@kyros/store/store'
import { fieldProblem } from '../http/plain-text.ts'

type Context = { store: Store; clock: Clock }

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i

/**
 * The number of the last event that belongs to a moment, given as a number or a time; 0 is before all. Undefined when
 * no moment is asked for. Of a clock that was set back, the events between count as the search meets them.
 * @throws request_invalid, moment_unknown
 */
export async function resolveMoment(context: Context, asOf: string | undefined): Promise<number | undefined> {
  if (asOf === undefined) return undefined
  if (/^\d{1,15}$/.test(asOf)) return checkNumber(context.store, Number(asOf))
  const atMs = time.test(asOf) ? Date.parse(asOf) : Number.NaN
  if (Number.isNaN(atMs)) {
    throw fieldProblem(
      'as_of',
      'must be the number of an event or an RFC 3339 time, for example 4711 or 2026-01-31T08:00:00Z',
    )
  }
  if (atMs > context.clock.nowMs())
    throw unknown(`${asOf} has not come yet. Leave as_of out for the present.`)
  return lastSeqAt(context.store, atMs)
}

async function checkNumber(store: Store, seq: number): Promise<number> {
  const head = await store.events.head()
  if (seq > head) throw unknown(`The log ends with event ${head}. Leave as_of out for the present.`)
  const first = await eventFrom(store, 1)
  if (first !== undefined && seq > 0 && seq < first.seq) throw tooEarly(first)
  return seq
}

/** The last event that was there at a time. Those times rise with the numbers of the log, so it is found by halving. */
async function lastSeqAt(store: Store, atMs: number): Promise<number> {
  const [head, first] = [await store.events.head(), await eventFrom(store, 1)]
  if (first === undefined) return 0
  if (first.atMs > atMs) {
    // A log that is whole begins with nothing; one whose beginning is gone does not know.
    if (first.seq > 1) throw tooEarly(first)
    return 0
  }
  let [low, high] = [first.seq, head]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const found = await eventFrom(store, middle)
    if (found !== undefined && found.seq <= high && found.atMs <= atMs) low = found.seq
    else high = middle - 1
  }
  return low
}

/**
 * Since when an event is there, in ms since 1970. What a fork took over keeps the time at which it happened, in the run
 * that it was taken from; here it is not before the fork itself.
 */
function thereSinceMs({ time, run_id }: Event): number {
  return Math.max(Date.parse(time), run_id === undefined ? 0 : idTimeMs(run_id))
}

type Found = { seq: number; time: string; atMs: number }

/** The event with this number, or the next one. */
async function eventFrom(store: Store, seq: number): Promise<Found | undefined> {
  const { items } = await store.events.list({ after: seq - 1, limit: 1 })
  const [event] = items
  return event && { seq: event.seq, time: event.time, atMs: thereSinceMs(event) }
}

/** The latest time among the events just before a moment: nothing that existed then was created much later. */
export async function latestTimeMs(store: Store, untilSeq: number): Promise<number> {
  const { items } = await store.events.list({ before: untilSeq + 1, limit: 200 })
  return Math.max(0, ...items.map(thereSinceMs))
}

function tooEarly(first: Found): ProblemError {
  return unknown(
    `The log begins with event ${first.seq} at ${first.time}; what was before is no longer kept.`,
  )
}

function unknown(detail: string): ProblemError {
  return problem('moment_unknown', { detail })
}
