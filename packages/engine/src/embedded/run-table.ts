import { isTerminal } from '@kyros/contract/run-status'
import { EngineFenced } from '@kyros/store/command'
import type { RunRecord } from '@kyros/store/store'
import type { EngineParts } from './engine-parts.ts'
import { emptyHistory, type History, readHistory } from './history.ts'
import { LiveRun } from './live-run.ts'
import { factsOf, type RunFacts } from './run-facts.ts'

// Between losing a run and reading it again, so that a fault that stays does not spin.
const reloadAfterMs = 1000

/** The runs in memory. Each run is there once, however many ask for it at the same time. */
export class RunTable {
  readonly #live = new Map<string, LiveRun>()
  readonly #reading = new Map<string, Promise<LiveRun | undefined>>()
  readonly #parts: EngineParts
  readonly #onFenced: () => void

  constructor(parts: EngineParts, onFenced: () => void) {
    this.#parts = parts
    this.#onFenced = onFenced
  }

  get live(): ReadonlyMap<string, LiveRun> {
    return this.#live
  }

  /** The run in memory, read and taken up if it is not there; undefined when it is unknown or has ended. */
  find(runId: string): Promise<LiveRun | undefined> {
    return this.#read(runId, undefined)
  }

  /** Takes up a run whose record was just read. */
  async takeUp(record: RunRecord): Promise<void> {
    await this.#read(record.id, record)
  }

  /** Takes up a run that was just committed with these events, without reading it again. */
  async begin(run: RunFacts, history: History): Promise<void> {
    if (!this.#live.has(run.runId) && !this.#reading.has(run.runId)) await this.#add(run, history)
  }

  /** Lets go of every run; nothing of it is recorded. */
  async closeAll(reason: string): Promise<void> {
    const runs = [...this.#live.values()]
    this.#live.clear()
    for (const run of runs) this.#parts.slots.forget(run.facts.runId)
    await Promise.all(runs.map((run) => run.close(reason)))
  }

  #read(runId: string, record: RunRecord | undefined): Promise<LiveRun | undefined> {
    const known = this.#live.get(runId)
    if (known !== undefined) return Promise.resolve(known)
    const underWay = this.#reading.get(runId)
    if (underWay !== undefined) return underWay
    const reading = this.#readRun(runId, record).finally(() => this.#reading.delete(runId))
    this.#reading.set(runId, reading)
    return reading
  }

  async #readRun(runId: string, given: RunRecord | undefined): Promise<LiveRun | undefined> {
    const { store } = this.#parts
    const record = given ?? (await store.runs.get(runId))
    if (record === undefined || isTerminal(record.status)) return undefined
    const history = await readHistory(store, runId)
    return history.ended ? undefined : this.#add(factsOf(record), history)
  }

  async #add(run: RunFacts, history: History): Promise<LiveRun> {
    const { definitions, workspaces } = this.#parts
    const loaded = run.definition === '' ? undefined : await definitions.load(run.definition)
    const known = this.#live.get(run.runId)
    if (known !== undefined) return known
    if (history.steps.size > 0) workspaces.adopt(run.runId)
    const created = new LiveRun({
      parts: this.#parts,
      run,
      history,
      loaded,
      onEnded: (ended) => this.#forget(ended),
      onLost: (lost, error) => this.#lose(lost, error),
    })
    this.#live.set(run.runId, created)
    created.resume()
    return created
  }

  #forget(run: LiveRun): void {
    const { slots, workspaces, log } = this.#parts
    const { runId } = run.facts
    if (this.#live.get(runId) === run) this.#live.delete(runId)
    slots.forget(runId)
    run
      .quiet()
      .then(() => workspaces.remove(runId))
      .catch((error: unknown) =>
        log('warn', `The workspace of run ${runId} is still there: ${String(error)}`),
      )
  }

  #lose(run: LiveRun, error: unknown): void {
    const { slots, timers, clock, log, onBug, isClosing } = this.#parts
    const { runId } = run.facts
    if (this.#live.get(runId) !== run) return
    this.#live.delete(runId)
    slots.forget(runId)
    run.close('The engine let go of this run.').catch(onBug)
    if (error instanceof EngineFenced) return void this.#onFenced()
    if (isClosing()) return
    log('warn', `Run ${runId} is read again: ${String(error)}`)
    timers.at(clock.nowMs() + reloadAfterMs, () => {
      if (!isClosing()) this.find(runId).catch(onBug)
    })
  }
}

/** The history of a run of which only these events exist. */
export function historyOf(events: History['events']): History {
  const history = emptyHistory()
  for (const event of events) {
    history.events.push(event)
    history.lastMs = event.timeMs
    if (event.type === 'run.waiting') history.shown = event.data
  }
  history.runSeq = events.length
  return history
}
