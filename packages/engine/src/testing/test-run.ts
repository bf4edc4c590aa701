import { randomUUID } from 'node:crypto'
import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { isTerminal } from '@kyros/contract/run-status'
import type { RunRecord } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import { withPayloads } from '../embedded/history.ts'
import type { RecordedHistory } from './replay-history.ts'
import { type KitParts, type TestKit, tester } from './test-kit.ts'

// Of real time.
const longestStepMs = 20_000
const longestWaitMs = 99 * 365 * 24 * 3_600_000

/** A run that ended otherwise than by completing. */
export class RunNotCompleted extends Error {
  override readonly name = 'RunNotCompleted'
  readonly run: RunRecord

  constructor(run: RunRecord, what: string) {
    super(`The run is ${run.status}${run.reason === null ? '' : ` (${run.reason})`}: ${what}`)
    this.run = run
  }
}

/** One attempt that has ended, with what it gave or the code of what went wrong. */
export type TriedStep = { step: string; key: string; attempt: number; output?: Json; error?: string }

/** One run of a test. */
export class TestRun {
  readonly id: string
  readonly #parts: KitParts
  readonly #kit: TestKit

  constructor(id: string, parts: KitParts, kit: TestKit) {
    this.id = id
    this.#parts = parts
    this.#kit = kit
  }

  /**
   * Lets time pass until the run has ended, and gives its result.
   * @throws RunNotCompleted when it failed or was cancelled, and when nothing but a message could move it
   */
  async result(): Promise<Json> {
    const run = await this.ended()
    if (run.status === 'completed') return run.result
    throw new RunNotCompleted(run, run.error?.message ?? 'it has no result')
  }

  /** Lets time pass until the run has ended, however it ends. @throws RunNotCompleted when only a message could move it */
  async ended(): Promise<RunRecord> {
    const { clock, busy } = this.#parts
    for (;;) {
      await this.#kit.settled(longestStepMs)
      if (busy.isInStep) {
        throw new RunNotCompleted(
          await this.record(),
          `a step has been running for ${longestStepMs / 1000} s; advance() lets time pass meanwhile`,
        )
      }
      const run = await this.record()
      if (isTerminal(run.status)) return run
      const due = clock.nextDueMs
      // What is due in a hundred years is the limit of the run, and nothing that it waits for.
      const isFar = due !== undefined && due - clock.nowMs() > longestWaitMs
      if (due === undefined || isFar || run.reason === 'blocked')
        throw new RunNotCompleted(run, await this.#why())
      await this.#kit.advance(due - clock.nowMs())
    }
  }

  /** Resolves when the run has gone as far as it can without time and without messages. */
  settled(): Promise<void> {
    return this.#kit.settled()
  }

  /** The run as it is stored: status, reason, result, error. */
  async record(): Promise<RunRecord> {
    const run = await this.#parts.store.runs.get(this.id)
    if (run === undefined) throw new Error(`There is no run ${this.id}.`)
    const { blobs } = this.#parts.store
    const [input, result] = [await fromStored(run.input, blobs), await fromStored(run.result, blobs)]
    return { ...run, input, result }
  }

  async signal(name: string, payload: Json = null): Promise<void> {
    await this.#parts.engine.signal(this.id, name, payload, tester)
    await this.settled()
  }

  /** @throws query_unknown, query_failed */
  query(name: string, payload: Json = null): Promise<Json> {
    return this.#parts.engine.query(this.id, name, payload)
  }

  /** @throws update_unknown, update_rejected, update_failed */
  async update(name: string, payload: Json = null): Promise<Json> {
    const result = await this.#parts.engine.update(this.id, name, payload, {
      updateId: randomUUID(),
      principal: tester,
    })
    await this.settled()
    return result
  }

  /** Answers a waitpoint whose token the workflow gave away. */
  async completeWaitpoint(token: string, payload: Json = null): Promise<void> {
    await this.#parts.engine.completeWaitpoint(token, payload)
    await this.settled()
  }

  async cancel(reason = 'the test cancels it'): Promise<void> {
    await this.#parts.engine.cancel(this.id, reason, tester)
    await this.settled()
  }

  /** Every event up to now, in order. */
  async events(): Promise<RunEvent[]> {
    const events = await this.#parts.store.events.ofRun(this.id)
    const own = events.flatMap((event) => (isRunEvent(event) ? [event] : []))
    return Promise.all(own.map((event) => withPayloads(event, this.#parts.store)))
  }

  /** The attempts at steps, in the order of their ends: what each was given up with, or gave. */
  async steps(): Promise<TriedStep[]> {
    return (await this.events()).flatMap((event): TriedStep[] => {
      if (event.type === 'step.completed') {
        const { step, key, attempt, output } = event.data
        return [{ step, key, attempt, output }]
      }
      if (event.type !== 'step.failed') return []
      const { step, key, attempt, error } = event.data
      return [{ step, key, attempt, error: error.code }]
    })
  }

  /** What `kyros runs history` would print: kept in a file, it can be replayed on every later version. */
  async history(): Promise<RecordedHistory> {
    const run = await this.record()
    const definition = await this.#parts.store.definitions.get(run.definition)
    return { run: { ...run }, definition: definition?.source ?? '', events: await this.events() }
  }

  async #why(): Promise<string> {
    const why = await this.#parts.engine.why(this.id)
    const waits = why.waits_for.map(({ kind, name, detail }) => `${kind} ${name} (${detail})`)
    return `it waits for ${waits.join(', ') || 'nothing that is known'}`
  }
}
