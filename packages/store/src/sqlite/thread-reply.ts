import type { Failure, Outcome } from '../outcome.ts'

/** A batch's outcomes as a flat list; what is no number is JSON. It begins with whether the tables lag. */
export type Reply = (number | string)[]

const many = -1

export function encodeReply(lags: boolean, outcomes: readonly Outcome[]): Reply {
  const reply: Reply = [lags ? 1 : 0]
  for (const outcome of outcomes) {
    if (typeof outcome === 'number') reply.push(outcome)
    else if ('many' in outcome) {
      reply.push(many, outcome.many.length)
      for (const one of outcome.many) reply.push(typeof one === 'number' ? one : JSON.stringify(one))
    } else reply.push(JSON.stringify(outcome))
  }
  return reply
}

export function decodeReply(reply: Reply): Outcome[] {
  const outcomes: Outcome[] = []
  for (let at = 1; at < reply.length; at++) {
    const entry = reply[at] ?? 0
    if (entry === many) {
      const count = Number(reply[at + 1])
      outcomes.push({ many: reply.slice(at + 2, at + 2 + count).map(decodeOne) })
      at += 1 + count
    } else outcomes.push(typeof entry === 'number' ? entry : JSON.parse(entry))
  }
  return outcomes
}

function decodeOne(one: number | string): number | Failure {
  return typeof one === 'number' ? one : JSON.parse(one)
}
