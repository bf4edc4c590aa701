import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '@kyros/contract/event'
import type { Random } from '../load/random.ts'
import type { Record } from '../load/records.ts'
import type { Findings } from '../model/findings.ts'
import { readEvents } from './event-stream.ts'
import type { Entrance } from './replica.ts'

const longestStayMs = 2_000

type FollowOptions = {
  replicas: readonly Entrance[]
  token: string
  random: Random
  records: Record[]
  findings: Findings
  signal: AbortSignal
}

/**
 * Reads the stream of all events as a client that changes its server again and again, and resumes by Last-Event-ID:
 * the numbers must go on without a gap or a repetition, those of all events and those of each run.
 */
export class Follower {
  lastSeq = 0
  /** How many connections there were. */
  switches = 0
  readonly #options: FollowOptions
  readonly #runSeqs = new Map<string, number>()
  readonly #waiting = new Set<{ sinceMs: number; resolve: (atMs: number) => void }>()

  constructor(options: FollowOptions) {
    this.#options = options
    void this.#follow()
  }

  /** Resolves with the time at which this process saw the first event of a step that began after `sinceMs`. */
  async stepAfter(sinceMs: number, timeoutMs: number): Promise<number> {
    const seen = Promise.withResolvers<number>()
    const one = { sinceMs, resolve: seen.resolve }
    const late = setTimeout(() => seen.reject(new Error(`No step began in ${timeoutMs} ms`)), timeoutMs)
    this.#waiting.add(one)
    try {
      return await seen.promise
    } finally {
      clearTimeout(late)
      this.#waiting.delete(one)
    }
  }

  async #follow(): Promise<void> {
    const { replicas, random, signal } = this.#options
    while (!signal.aborted) {
      const up = replicas.filter(({ isUp }) => isUp)
      const replica = up[random.integer(0, up.length)]
      this.switches += 1
      // Whatever ended the connection: the next one goes on where this one was.
      if (replica !== undefined) await this.#read(replica).catch(() => {})
      await delay(20)
    }
  }

  async #read({ origin }: Entrance): Promise<void> {
    const { token, random, findings } = this.#options
    const stay = AbortSignal.timeout(random.integer(300, longestStayMs))
    await readEvents({
      ...{ origin, token, lastSeq: this.lastSeq, path: '/api/v1/events/stream' },
      signal: AbortSignal.any([stay, this.#options.signal]),
      onEvent: (event) => this.#take(event),
      onReset: () => findings.lost.push(`the stream began anew after ${this.lastSeq}`),
    })
  }

  #take(event: Event): void {
    const { findings, records } = this.#options
    const { seq, run_seq = 0, run_id = '', type } = event
    if (seq > this.lastSeq + 1) findings.lost.push(`the stream went from ${this.lastSeq} to ${seq}`)
    if (seq <= this.lastSeq) findings.doubled.push(`the stream gave ${seq} after ${this.lastSeq}`)
    this.lastSeq = seq
    this.#takeRun(event)
    records.push({ kind: 'seen', events: [[seq, run_seq, run_id, type]] })
    if (type !== 'step.started') return
    for (const one of this.#waiting) if (Date.parse(event.time) > one.sinceMs) one.resolve(Date.now())
  }
  /** The numbers of each run for itself go on, too. */
  #takeRun({ run_id, run_seq, type }: Event): void {
    if (run_id === undefined || run_seq === undefined) return
    const { findings } = this.#options
    const last = this.#runSeqs.get(run_id) ?? 0
    const where = `run ${run_id} went from ${last} to ${run_seq} (${type}) on the stream`
    if (run_seq > last + 1) findings.lost.push(where)
    if (run_seq <= last) findings.doubled.push(where)
    this.#runSeqs.set(run_id, run_seq)
  }
}
