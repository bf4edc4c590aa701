import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '@kyros/contract/event'
import type { Random } from '../load/random.ts'
import type { Record } from '../load/records.ts'
import type { Findings } from '../model/findings.ts'
import type { Replica } from './replica.ts'

const longestStayMs = 2_000

type FollowOptions = {
  replicas: readonly Replica[]
  token: string
  random: Random
  records: Record[]
  findings: Findings
  signal: AbortSignal
}

/**
 * Reads the stream of all events as a client that changes its server again and again, and resumes by Last-Event-ID:
 * the numbers must go on without a gap or a repetition.
 */
export class Follower {
  lastSeq = 0
  /** How many connections there were. */
  switches = 0
  readonly #options: FollowOptions
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

  async #read(replica: Replica): Promise<void> {
    const { token, random, findings, signal } = this.#options
    const stay = AbortSignal.timeout(random.integer(300, longestStayMs))
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      'last-event-id': String(this.lastSeq),
    }
    const answer = await fetch(`${replica.origin}/api/v1/events/stream`, {
      headers,
      signal: AbortSignal.any([stay, signal]),
    })
    if (!answer.ok || answer.body === null) throw new Error(`The stream was answered with ${answer.status}`)
    let rest = ''
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
      const blocks = `${rest}${text}`.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (/^event: ?reset$/m.test(block)) findings.lost.push(`the stream began anew after ${this.lastSeq}`)
        const data = /^data: ?(.*)$/m.exec(block)?.[1]
        if (data !== undefined && /^id:/m.test(block)) this.#take(JSON.parse(data))
      }
    }
  }

  #take(event: Event): void {
    const { findings, records } = this.#options
    const { seq, run_seq = 0, run_id = '', type } = event
    if (seq > this.lastSeq + 1) findings.lost.push(`the stream went from ${this.lastSeq} to ${seq}`)
    if (seq <= this.lastSeq) findings.doubled.push(`the stream gave ${seq} after ${this.lastSeq}`)
    this.lastSeq = seq
    records.push({ kind: 'seen', events: [[seq, run_seq, run_id, type]] })
    if (type !== 'step.started') return
    for (const one of this.#waiting) if (Date.parse(event.time) > one.sinceMs) one.resolve(Date.now())
  }
}
