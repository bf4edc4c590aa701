import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '@kyros/contract/event'
import type { Random } from '../load/random.ts'
import type { Record } from '../load/records.ts'
import type { Findings } from '../model/findings.ts'
import type { Replica } from './replica.ts'

const longestStayMs = 2_000

export type Follower = {
  /** Resolves with the time at which this process saw the first event of a step that began after `sinceMs`. */
  stepAfter(sinceMs: number, timeoutMs: number): Promise<number>
  readonly lastSeq: number
  readonly switches: number
}

/**
 * Reads the stream of all events as a client that changes its server again and again, and resumes by Last-Event-ID:
 * the numbers must go on without a gap or a repetition.
 */
export function followLog(options: {
  replicas: readonly Replica[]
  token: string
  random: Random
  records: Record[]
  findings: Findings
  signal: AbortSignal
}): Follower {
  const { replicas, token, random, records, findings, signal } = options
  let lastSeq = 0
  let switches = 0
  const waiting = new Set<{ sinceMs: number; resolve: (atMs: number) => void }>()

  const take = (event: Event) => {
    if (event.seq > lastSeq + 1) findings.lost.push(`the stream went from ${lastSeq} to ${event.seq}`)
    if (event.seq <= lastSeq) findings.doubled.push(`the stream gave ${event.seq} after ${lastSeq}`)
    lastSeq = event.seq
    records.push({ kind: 'seen', events: [[event.seq, event.run_seq ?? 0, event.run_id ?? '', event.type]] })
    if (event.type !== 'step.started') return
    for (const one of waiting) if (Date.parse(event.time) > one.sinceMs) one.resolve(Date.now())
  }

  const read = async (replica: Replica) => {
    const stay = AbortSignal.timeout(random.integer(300, longestStayMs))
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      'last-event-id': String(lastSeq),
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
        if (/^event: ?reset$/m.test(block)) findings.lost.push(`the stream began anew after ${lastSeq}`)
        const data = /^data: ?(.*)$/m.exec(block)?.[1]
        if (data !== undefined && /^id:/m.test(block)) take(JSON.parse(data))
      }
    }
  }

  const follow = async () => {
    while (!signal.aborted) {
      const up = replicas.filter(({ isUp }) => isUp)
      const replica = up[random.integer(0, up.length)]
      switches += 1
      // Whatever ended the connection: the next one goes on where this one was.
      if (replica !== undefined) await read(replica).catch(() => {})
      await delay(20)
    }
  }
  void follow()
  return {
    get lastSeq() {
      return lastSeq
    },
    get switches() {
      return switches
    },
    stepAfter: async (sinceMs, timeoutMs) => {
      const seen = Promise.withResolvers<number>()
      const one = { sinceMs, resolve: seen.resolve }
      const late = setTimeout(() => seen.reject(new Error(`No step began in ${timeoutMs} ms`)), timeoutMs)
      waiting.add(one)
      try {
        return await seen.promise
      } finally {
        clearTimeout(late)
        waiting.delete(one)
      }
    },
  }
}
