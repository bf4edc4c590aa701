import { isTerminal } from '@kyros/contract/run-status'
import { EngineFenced, type NewRunEvent } from '@kyros/store/command'
import type { PastEvent, RunRecord } from '@kyros/store/store'
import { isBlobReference, StoredValueLost } from '@kyros/store/stored-value'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { textOf } from '../error-text.ts'
import type { EngineParts } from './engine-parts.ts'
import { addEvent, emptyHistory, type History, historyAtHand, historyOrFault } from './history.ts'
import { LiveRun, type RunOwner } from './live-run.ts'
import { type FactsRecord, factsOf, type RunFacts, readFacts, seenBy } from './run-facts.ts'
import { RunFaults } from './run-faults.ts'
import { Sleepers } from './sleepers.ts'
import type { Timer } from './timers.ts'

// Between losing a run and reading it again, so that a fault that stays does not spin.
const reloadAfterMs = 1000
const maxIdleInMemory = 5_000
const evictedAtOnce = 1000
const takenUpAtOnce = 250

/** A run whose first turn is over and that is not committed yet. */
export type Unborn = {
  /** What it said, to be committed with it. */
  readonly events: NewRunEvent[]
  /** Why it is not let in, where its workflow refuses more. */
  readonly rejection: string | undefined
  /** It is on disk. */
  born(): void
  /** It is not, or is not ours to move; `isUnclear`: it may be on disk all the same. */
  refuse(reason: string, isUnclear?: boolean): void
}

/**
 * The runs that this engine moves. Each is in memory once, however many ask for it at the same time; one that only
 * waits is let go after a while and read again when its time comes or somebody reaches for it.
 */
export class RunTable implements RunOwner {
  readonly #live = new Map<string, LiveRun>()
  readonly #reading = new Map<string, Promise<LiveRun | undefined>>()
  /** Resolved when their commit was answered: until then nobody else may take them up. */
  readonly #unborn = new Map<string, PromiseWithResolvers<void>>()
  /** Runs whose first turn met a fault: they are read again once they are committed. */
  readonly #faulty = new Map<LiveRun, unknown>()
  readonly #faults: RunFaults
  readonly #asleep: Sleepers
  /** Runs that wait, since when, in the order in which they began to. */
  readonly #idle = new Map<LiveRun, number>()
  #evicting: Timer | undefined
  readonly #parts: EngineParts
  readonly #onFenced: () => void

  constructor(parts: EngineParts, onFenced: () => void) {
    this.#parts = parts
    this.#onFenced = onFenced
    this.#faults = new RunFaults(parts.clock)
    this.#asleep = new Sleepers(parts.timers, (runIds) => this.#wake(runIds))
  }

  get live(): ReadonlyMap<string, LiveRun> {
    return this.#live
  }

  /** How many runs wait outside of memory. */
  get asleep(): number {
    return this.#asleep.size
  }

  /** True when the run is looked after, in memory or asleep. */
  has(runId: string): boolean {
    return this.#live.has(runId) || this.#asleep.has(runId)
  }

  /** What kept the run from going on when that was last tried; undefined when nothing did. */
  lastFault(runId: string): string | undefined {
    return this.#faults.last(runId)
  }

  /**
   * The run in memory, read and taken up if it is not there; undefined when it is unknown, has ended, or is another
   * engine's.
   */
  find(runId: string): Promise<LiveRun | undefined> {
    return this.#read(runId, undefined)
  }

  /**
   * Takes up runs whose records were just read, some at a time, and waits for `goOn` before the next. A run that cannot
   * be taken up now is told to `onFault`.
   */
  async takeUp(
    records: readonly FactsRecord[],
    onFault: (runId: string, error: unknown) => void,
    goOn: () => Promise<void> = async () => {},
  ): Promise<void> {
    const missing = records.filter(({ id }) => !this.#live.has(id) && !this.#reading.has(id))
    const histories = await this.#parts.store.runs.histories(missing.map(({ id }) => id))
    for (let from = 0; from < missing.length; from += takenUpAtOnce) {
      const taken: LiveRun[] = []
      for (const record of missing.slice(from, from + takenUpAtOnce)) {
        try {
          const added = this.#addKnown(record, histories.get(record.id) ?? [])
          const run = added instanceof Promise ? await this.#remember(record.id, added) : added
          if (run !== undefined) taken.push(run)
        } catch (error) {
          onFault(record.id, error)
        }
      }
      await caughtUp(this.#parts.turns, taken)
      await goOn()
    }
  }

  /** Leaves a run outside of memory until its time. */
  sleep(runId: string, dueMs: number): void {
    if (!this.#live.has(runId) && !this.#reading.has(runId)) this.#asleep.add(runId, dueMs)
  }

  /** Takes up a run that was just committed with these events, without reading it again. */
  async begin(run: RunFacts, history: History): Promise<void> {
    if (!this.#live.has(run.runId) && !this.#reading.has(run.runId)) await this.#add(run, history)
  }

  /** Lets a run go as far as it can before it is committed; undefined when its definition cannot be had. */
  async prepare(run: RunFacts, history: History): Promise<Unborn | undefined> {
    const loaded = await this.#parts.definitions.load(run.definition)
    if (loaded === undefined) return undefined
    const unborn = this.#create(run, history, loaded)
    this.#unborn.set(run.runId, Promise.withResolvers())
    const events = await unborn.prepare()
    return {
      events,
      rejection: unborn.beginning.rejection,
      born: () => {
        this.#live.set(run.runId, unborn)
        this.#answered(run.runId)
        unborn.born()
        if (this.#faulty.has(unborn)) this.onLost(unborn, this.#faulty.get(unborn))
      },
      refuse: (reason, isUnclear = false) => {
        this.#faulty.delete(unborn)
        this.#answered(run.runId)
        this.#parts.slots.forget(run.runId)
        if (isUnclear) this.#clearPlaceLater(run.runId)
        else this.#parts.gates.leave(run.runId)
        unborn.refuse(reason).catch(this.#parts.onBug)
      },
    }
  }

  #answered(runId: string): void {
    this.#unborn.get(runId)?.resolve()
    this.#unborn.delete(runId)
  }

  /** True from the first turn of a run until its commit was answered: the store need not know it yet. */
  isUnborn(runId: string): boolean {
    return this.#unborn.has(runId)
  }

  /** A run that may have been committed keeps its place until the store says that it was not. */
  #clearPlaceLater(runId: string): void {
    const { timers, clock, store, gates, isClosing } = this.#parts
    timers.at(clock.nowMs() + reloadAfterMs, () => {
      if (isClosing()) return
      const clear = (run: RunRecord | undefined) => {
        if (run === undefined || isTerminal(run.status)) gates.leave(runId)
      }
      store.runs.get(runId).then(clear, () => this.#clearPlaceLater(runId))
    })
  }

  /** Takes a run up from its log again. Attempts under way are cut off, which is no retry. */
  async reload(run: LiveRun): Promise<void> {
    const { runId } = run.facts
    if (this.#live.get(runId) !== run) return
    this.#live.delete(runId)
    this.#idle.delete(run)
    this.#faults.forget(runId)
    this.#parts.slots.forget(runId)
    await run.close('The run is taken up on another definition.')
    await this.find(runId)
  }

  /** Lets go of every run; nothing of it is recorded. */
  async closeAll(reason: string): Promise<void> {
    const runs = [...this.#live.values()]
    this.#live.clear()
    this.#asleep.clear()
    this.#parts.gates.close()
    this.#parts.children.clear()
    this.#idle.clear()
    this.#evicting?.cancel()
    this.#evicting = undefined
    for (const run of runs) this.#parts.slots.forget(run.facts.runId)
    await Promise.all(runs.map((run) => run.close(reason)))
  }

  #read(runId: string, record: RunRecord | undefined): Promise<LiveRun | undefined> {
    const known = this.#live.get(runId)
    if (known !== undefined) return Promise.resolve(known)
    return this.#reading.get(runId) ?? this.#remember(runId, this.#readRun(runId, record))
  }

  #remember(runId: string, reading: Promise<LiveRun | undefined>): Promise<LiveRun | undefined> {
    const known = reading.finally(() => this.#reading.delete(runId))
    this.#reading.set(runId, known)
    // Whoever asked gets the error; this entry is nobody's.
    known.then(
      () => this.#faults.wasRead(runId),
      (error: unknown) => this.#faults.notRead(runId, error),
    )
    return known
  }

  async #readRun(runId: string, given: RunRecord | undefined): Promise<LiveRun | undefined> {
    const { store } = this.#parts
    await this.#unborn.get(runId)?.promise
    const known = this.#live.get(runId)
    if (known !== undefined) return known
    const record = given ?? (await store.runs.get(runId))
    // Nothing of it is ours, its place neither.
    if (record?.engine !== undefined) return undefined
    if (record === undefined || isTerminal(record.status)) {
      this.#asleep.delete(runId)
      this.#parts.gates.leave(runId)
      return undefined
    }
    const histories = await store.runs.histories([runId])
    return this.#addKnown(record, histories.get(runId) ?? [])
  }

  /** At once where nothing has to be read or loaded for it: of many runs, each wait would count. */
  #addKnown(
    record: FactsRecord,
    events: readonly PastEvent[],
  ): LiveRun | undefined | Promise<LiveRun | undefined> {
    const history = historyAtHand(events)
    if (history === undefined || isBlobReference(record.input)) return this.#addRead(record, events)
    if (history.ended) return undefined
    const facts = factsOf(record)
    const { origin } = history
    return this.#add(origin === undefined ? facts : { ...facts, ...seenBy(origin) }, history)
  }

  /** One whose history is lost in part is taken up, too: it says so, and can be cancelled. */
  async #addRead(record: FactsRecord, events: readonly PastEvent[]): Promise<LiveRun | undefined> {
    const { store } = this.#parts
    const history = await historyOrFault(events, store)
    if (history.ended) return undefined
    if (history.fault !== undefined) return this.#add(factsOf(record), history)
    try {
      return await this.#add(await readFacts(record, history, store), history)
    } catch (error) {
      if (!(error instanceof StoredValueLost)) throw error
      return this.#add(factsOf(record), { ...history, fault: `Its input cannot be read: ${error.message}` })
    }
  }

  #add(facts: RunFacts, history: History): LiveRun | Promise<LiveRun> {
    const run = history.bundle === undefined ? facts : { ...facts, ...history.bundle }
    const stays = history.fault ?? this.#faults.blocks(run.runId) ?? this.#parts.leftOut(run.runId)
    if (run.definition === '' || stays !== undefined) return this.#addLoaded(run, history, undefined, stays)
    const loaded = this.#parts.definitions.loaded(run.definition)
    if (loaded !== undefined) return this.#addLoaded(run, history, loaded)
    const loading = this.#parts.definitions.load(run.definition)
    return loading.then((found) => this.#addLoaded(run, history, found))
  }

  #addLoaded(run: RunFacts, history: History, loaded: LoadedDefinition | undefined, stays?: string): LiveRun {
    const known = this.#live.get(run.runId)
    if (known !== undefined) return known
    const { workspaces } = this.#parts
    if (history.steps.size > 0) workspaces.adopt(run.runId)
    const created = this.#create(run, history, loaded)
    this.#live.set(run.runId, created)
    this.#asleep.delete(run.runId)
    if (stays !== undefined) created.block(stays)
    created.resume()
    return created
  }

  #create(run: RunFacts, history: History, loaded: LoadedDefinition | undefined): LiveRun {
    return new LiveRun({
      parts: this.#parts,
      run,
      history,
      loaded,
      owner: this,
    })
  }

  /** Their time has come: they are read together, and what cannot be woken now is tried again. */
  #wake(runIds: readonly string[]): void {
    const { timers, clock, log, isClosing } = this.#parts
    if (isClosing()) return
    const again = (ids: readonly string[], error: unknown) => {
      log('warn', `${ids.length} runs cannot be woken yet, ${ids[0]} among them: ${String(error)}`)
      timers.at(clock.nowMs() + reloadAfterMs, () => this.#wake(ids))
    }
    this.#readAll(runIds, (runId, error) => again([runId], error)).catch((error: unknown) =>
      again(runIds, error),
    )
  }

  async #readAll(runIds: readonly string[], onFault: (runId: string, error: unknown) => void): Promise<void> {
    const records = await this.#parts.store.runs.many(runIds)
    const open = records.filter(({ status, engine }) => engine === undefined && !isTerminal(status))
    const known = new Set(open.map(({ id }) => id))
    for (const runId of runIds) if (!known.has(runId)) this.#asleep.delete(runId)
    await this.takeUp(open, onFault)
  }

  onIdle(run: LiveRun): void {
    if (this.#live.get(run.facts.runId) !== run) return
    this.#idle.delete(run)
    this.#idle.set(run, this.#parts.clock.nowMs())
    if (this.#idle.size > maxIdleInMemory + evictedAtOnce) this.#evictIdle()
    else this.#evictLater()
  }

  #evictLater(): void {
    const { timers, evictAfterMs } = this.#parts
    if (this.#evicting !== undefined) return
    for (const sinceMs of this.#idle.values()) {
      this.#evicting = timers.at(sinceMs + evictAfterMs, () => this.#evictIdle())
      return
    }
  }

  #evictIdle(): void {
    this.#evicting?.cancel()
    this.#evicting = undefined
    const { clock, evictAfterMs } = this.#parts
    const beforeMs = clock.nowMs() - evictAfterMs
    let left = evictedAtOnce
    for (const [run, sinceMs] of this.#idle) {
      if (left === 0 || (sinceMs > beforeMs && this.#idle.size <= maxIdleInMemory)) break
      this.#idle.delete(run)
      left -= 1
      if (this.#live.get(run.facts.runId) === run && run.isIdle) this.#evict(run)
    }
    this.#evictLater()
  }

  #evict(run: LiveRun): void {
    const { runId } = run.facts
    this.#live.delete(runId)
    this.#asleep.add(runId, run.wakeAtMs)
    run.release()
    this.#parts.workspaces.leave(runId)
  }

  onEnded(run: LiveRun): void {
    this.#letGo(run)
    this.#parts.children.ended(run.facts.runId)
  }

  onHandedOver(run: LiveRun): void {
    this.#parts.log('info', `Run ${run.facts.runId} goes on on Temporal.`)
    this.#letGo(run)
  }

  /** Nothing of the run is this engine's any more. */
  #letGo(run: LiveRun): void {
    const { slots, gates, workspaces, log } = this.#parts
    const { runId } = run.facts
    if (this.#live.get(runId) === run) this.#live.delete(runId)
    this.#idle.delete(run)
    slots.forget(runId)
    gates.leave(runId)
    if (!workspaces.has(runId) && !run.steps.hasAttempts) return
    run
      .quiet()
      .then(() => workspaces.remove(runId))
      .catch((error: unknown) =>
        log('warn', `The workspace of run ${runId} is still there: ${String(error)}`),
      )
  }

  onLost(run: LiveRun, error: unknown): void {
    const { slots, timers, clock, log, onBug, isClosing, isSure } = this.#parts
    const { runId } = run.facts
    if (this.#unborn.has(runId)) this.#faulty.set(run, error)
    if (this.#live.get(runId) !== run) return
    this.#faulty.delete(run)
    this.#live.delete(runId)
    this.#idle.delete(run)
    slots.forget(runId)
    run.close('The engine let go of this run.').catch(onBug)
    if (error instanceof EngineFenced) return void this.#onFenced()
    if (isClosing()) return
    this.#faults.note(runId, error)
    log('warn', `Run ${runId} is read again: ${textOf(error)}`)
    timers.at(clock.nowMs() + reloadAfterMs, () => {
      // Whoever runs the engine by then has the run, or finds it.
      if (isSure()) this.#wake([runId])
    })
  }
}

/** Resolves when these runs have seen their histories: reading more of them meanwhile would only fill the memory. */
function caughtUp(turns: EngineParts['turns'], runs: readonly LiveRun[]): Promise<void> {
  if (runs.length === 0) return Promise.resolve()
  let next = 0
  return new Promise((resolve) => {
    const settle = () => {
      while (next < runs.length && !runs[next]?.isCatchingUp) next += 1
      if (next === runs.length) resolve()
      return next < runs.length
    }
    turns.queue({ take: () => {}, wake: () => false, settle, fail: () => resolve() })
  })
}

/** The history of a run of which only these events exist. */
export function historyOf(events: History['events']): History {
  const history = emptyHistory()
  for (const event of events) {
    addEvent(history, event)
  }
  history.runSeq = events.length
  return history
}
