import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '@kyros/contract/event'
import type { Random } from '../load/random.ts'
import type { Findings } from '../model/findings.ts'
import { readEvents } from './event-stream.ts'
import type { Entrance } from './replica.ts'

const maxOpen = 6
const longestStayMs = 1_200
const endings = new Set<string>(['run.completed', 'run.failed', 'run.cancelled', 'run.timed_out'])

type RunStreamOptions = {
  entrance: Entrance
  token: string
  random: Random
  findings: Findings
  signal: AbortSignal
}

/**
 * Clients that each read the stream of one run from its first event to its last, over connections that end again and
 * again: the run's own numbers must go on without a gap or a repetition.
 */
export class RunStreams {
  /** How many runs were read to their end. */
  ended = 0
  /** How often a stream was resumed by the number of its last event. */
  resumed = 0
  readonly #options: RunStreamOptions
  readonly #reading = new Set<Promise<void>>()

  constructor(options: RunStreamOptions) {
    this.#options = options
  }

  /** Reads this run too, unless there are enough that are read. */
  begin(runId: string): void {
    if (this.#reading.size >= maxOpen) return
    const reading = this.#read(runId)
    this.#reading.add(reading)
    void reading.finally(() => this.#reading.delete(reading))
  }

  /** Resolves when every stream has ended with its run, or `signal` was aborted. */
  async settled(): Promise<void> {
    await Promise.all(this.#reading)
  }

  async #read(runId: string): Promise<void> {
    const { entrance, token, random, findings, signal } = this.#options
    const { origin } = entrance
    const path = `/api/v1/workflows/${runId}/events`
    let [lastSeq, lastRunSeq, isOver] = [0, 0, false]
    const onEvent = ({ seq, run_seq = 0, type }: Event) => {
      const where = `the stream of run ${runId} went from ${lastRunSeq} to ${run_seq} (${type})`
      if (run_seq > lastRunSeq + 1) findings.lost.push(where)
      if (run_seq <= lastRunSeq || seq <= lastSeq) findings.doubled.push(where)
      ;[lastSeq, lastRunSeq, isOver] = [seq, run_seq, endings.has(type)]
    }
    const onReset = () => findings.lost.push(`the stream of run ${runId} began anew after ${lastSeq}`)
    while (!isOver && !signal.aborted) {
      if (lastSeq > 0) this.resumed += 1
      const stay = AbortSignal.any([AbortSignal.timeout(random.integer(100, longestStayMs)), signal])
      // Whatever ended the connection: the next one goes on where this one was.
      await readEvents({ origin, path, token, lastSeq, signal: stay, onEvent, onReset }).catch(() => {})
      await delay(20)
    }
    if (isOver) this.ended += 1
    else findings.lost.push(`the stream of run ${runId} came to ${lastRunSeq} and not to its end`)
  }
}
