import { isProblem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import { type NewRunEvent, RunConflict } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import type { EngineLog } from '../embedded/engine-parts.ts'
import type { EngineClock } from '../embedded/timers.ts'
import { textOf } from '../error-text.ts'
import type { Cluster, HistoryPage } from './cluster.ts'
import { storedPayloads } from './event-payloads.ts'
import type { NewChild } from './history-facts.ts'
import type { HistoryReader } from './read-history.ts'
import type { ReadPace } from './read-pace.ts'
import { RunProjection } from './run-projection.ts'
import { Urgency } from './urgency.ts'

export type FollowerParts = {
  readonly store: Store
  readonly clock: EngineClock
  readonly cluster: Cluster
  readonly reader: HistoryReader
  readonly log: EngineLog
  readonly pace: ReadPace
  /** Makes the row of a child before the event that names it. */
  readonly onChild: (parent: RunRecord, child: NewChild) => Promise<void>
  /** What a build holds of a workflow; undefined when it is not known here. */
  readonly memberOf: (
    buildId: string,
    workflow: string,
  ) => Promise<{ definition: string; version: string } | undefined>
}

/** Where in a history an event was read. */
type Place = { part: number; id: number }

const beginning: Place = { part: 0, id: 0 }
const firstPauseMs = 200
const longestPauseMs = 10_000

/** Reads the history of one run as it grows, and appends what it says to the log: once and in order. */
export class RunFollower {
  readonly runId: string
  readonly #parts: FollowerParts
  readonly #urgency = new Urgency()
  #fresh: RunRecord | undefined

  /** `record`: as it is where nothing of the history is in the log. */
  constructor(parts: FollowerParts, runId: string, record?: RunRecord) {
    this.#parts = parts
    this.runId = runId
    this.#fresh = record
  }

  /** Until the run has ended (true), or `signal` aborts (false). */
  async follow(signal: AbortSignal): Promise<boolean> {
    const stopHearing = this.#parts.store.hints.listen(this.runId, this.#urgency.hint)
    try {
      return await this.#follow(signal)
    } finally {
      stopHearing()
    }
  }

  async #follow(signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#parts
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return await this.#read(signal, true)
      } catch (error) {
        if (signal.aborted) return false
        const isQuiet = error instanceof RunConflict || isProblem(error, 'temporal_unavailable')
        if (!isQuiet)
          log('warn', `The history of run ${this.runId} is read again in ${pauseMs} ms: ${textOf(error)}`)
        await clock.sleep(pauseMs, signal).catch(() => {})
      }
    }
    return false
  }

  /** Appends what the history holds by now. */
  async catchUp(signal: AbortSignal): Promise<void> {
    await this.#read(signal, false)
  }

  async #read(signal: AbortSignal, wait: boolean): Promise<boolean> {
    const { store, cluster } = this.#parts
    const fresh = this.#fresh
    this.#fresh = undefined
    const record = fresh ?? (await store.runs.get(this.runId))
    if (record === undefined || isTerminal(record.status)) return true
    const last = fresh === undefined ? await lastPlace(store, record) : beginning
    const log = new RunLogCursor(this.#parts, record, last)
    if (wait) await this.#gather(signal)
    let { execution, page } = await this.#begin(log.last.part, wait, signal)
    while (!signal.aborted) {
      const end = await log.append(page.events)
      if (end === 'run') return true
      let token = page.nextPageToken
      if (end !== undefined) {
        execution = { workflowId: this.runId, runId: end.newRunId }
        token = undefined
      } else if (token === undefined) {
        if (!wait) return false
        throw new Error('The history of the run is over, and holds no end that is known here.')
      } else if (page.events.length > 0) {
        if (wait) await this.#gather(signal)
      } else if (!wait) return false
      const next = await cluster.history(execution, token, wait, signal)
      if (next === undefined) throw new Error('The cluster does not know the run any more.')
      page = next
    }
    return false
  }

  #gather(signal: AbortSignal): Promise<void> {
    return this.#urgency.before(() => this.#parts.pace.gather(signal))
  }

  /** The execution that is this part of the run, and the first events of it. */
  async #begin(
    part: number,
    wait: boolean,
    signal: AbortSignal,
  ): Promise<{ execution: Execution; page: HistoryPage }> {
    let runId: string | undefined
    for (let hops = 0; hops < maxHops; hops++) {
      const asked = { workflowId: this.runId, ...(runId === undefined ? {} : { runId }) }
      const page = await this.#parts.cluster.history(asked, undefined, wait, signal)
      const started = page?.events[0]?.workflowExecutionStartedEventAttributes
      // Not started there yet, or not known any more: whoever starts it decides.
      if (page === undefined || !started) throw new Error('The cluster does not know the run.')
      const found = await this.#partOf(page)
      if (found <= part || !started.continuedExecutionRunId) {
        const own = started.originalExecutionRunId ?? ''
        return { execution: { workflowId: this.runId, runId: own }, page }
      }
      const first = part === 0 ? started.firstExecutionRunId : undefined
      runId = first || started.continuedExecutionRunId
    }
    throw new Error(`The run has more than ${maxHops} parts on the cluster.`)
  }

  async #partOf({ events: [event] }: HistoryPage): Promise<number> {
    const read = event === undefined ? undefined : await this.#parts.reader.read(event)
    return read?.fact.kind === 'started' ? (read.fact.started.part ?? 0) : 0
  }
}

type Execution = { workflowId: string; runId: string }

const maxHops = 10_000

/** What of one run is in the log, and what comes next. */
class RunLogCursor {
  last: Place
  readonly #parts: FollowerParts
  readonly #record: RunRecord
  readonly #projection: RunProjection
  #runSeq: number

  constructor(parts: FollowerParts, record: RunRecord, last: Place) {
    this.#parts = parts
    this.#record = record
    this.last = last
    this.#runSeq = record.run_seq
    this.#projection = new RunProjection({
      definition: record.definition,
      timeoutSeconds: record.timeout_seconds,
    })
  }

  /** Appends what these events say; gives how the part or the run ended, if it did. */
  async append(events: Parameters<HistoryReader['read']>[0][]): Promise<RunProjection['end']> {
    if (events.length === 0) return this.#projection.end
    const { reader, onChild } = this.#parts
    const facts = []
    for (const event of events) {
      const read = await reader.read(event)
      facts.push(read.fact.kind === 'moved' ? { ...read, fact: await this.#resolved(read.fact) } : read)
    }
    const taken = this.#projection.take(facts)
    const fresh = taken.events.filter((event) => isAfter(placeOf(event) ?? beginning, this.last))
    // Those that are in the log already are there with their rows.
    for (const child of taken.children) await onChild(this.#record, child)
    await this.#write(fresh)
    return this.#projection.end
  }

  async #write(fresh: readonly NewRunEvent[]): Promise<void> {
    if (fresh.length === 0) return
    const { store } = this.#parts
    const stored = await Promise.all(fresh.map((event) => storedPayloads(event, store.blobs)))
    const { id: runId } = this.#record
    const expectedRunSeq = this.#runSeq
    await store.write({ kind: 'append_run_events', runId, events: stored, expectedRunSeq, unlessEnded: true })
    this.#runSeq += stored.length
    this.last = placeOf(stored.at(-1)) ?? this.last
  }

  async #resolved(fact: { kind: 'moved'; buildId: string }) {
    const to = await this.#parts.memberOf(fact.buildId, this.#record.type)
    return { ...fact, ...(to === undefined ? {} : { to }) }
  }
}

/** The place of the last event that came from the history. */
async function lastPlace(store: Store, { id, run_seq }: RunRecord): Promise<Place> {
  const [event] = run_seq === 0 ? [] : await store.events.ofRun(id, run_seq - 1, 1)
  return (event === undefined ? undefined : placeOf(event)) ?? beginning
}

function placeOf(event: { data: object } | undefined): Place | undefined {
  const history = event !== undefined && 'history' in event.data ? event.data.history : undefined
  if (typeof history !== 'string') return undefined
  const [part, id] = history.split('/').map(Number)
  return part === undefined || id === undefined ? undefined : { part, id }
}

function isAfter(a: Place, b: Place): boolean {
  return a.part > b.part || (a.part === b.part && a.id > b.id)
}
