import { isProblem, problem } from '@kyros/contract/problem'
import { type NewRunEvent, RunConflict } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import type { Definitions } from '../definitions/definitions.ts'
import type { EngineLog } from '../embedded/engine-parts.ts'
import { enterGate, holdPlace, type RunGates } from '../embedded/run-gates.ts'
import type { Accepted } from '../embedded/submit.ts'
import type { EngineClock, Timer, Timers } from '../embedded/timers.ts'
import { textOf } from '../error-text.ts'
import { acceptedRun, type FoundRun, findRun, foldPending, type PendingRun } from './pending-run.ts'

export type PendingParts = {
  readonly store: Store
  readonly clock: EngineClock
  readonly timers: Timers
  readonly gates: RunGates
  readonly definitions: Definitions
  readonly log: EngineLog
  /** Whether this process may move runs now. */
  readonly holds: () => boolean
  /** Gives the run to the cluster; the same run again is the same execution. */
  readonly start: (run: PendingRun) => Promise<void>
  /** Whether the cluster knows the run. @throws temporal_unavailable */
  readonly isStarted: (runId: string) => Promise<boolean>
  /** The run is the cluster's from here on. `record`: as it is where nothing of its history is in its log. */
  readonly onStarted: (runId: string, record?: RunRecord) => void
}

const firstRetryMs = 500
const longestRetryMs = 30_000

/**
 * Runs from their commit to their start on the cluster: until then they are Kyros' own, with their time, their place among
 * the runs of their workflow, and what people do to them. One thing after the other for each run.
 */
export class PendingTable {
  readonly #parts: PendingParts
  readonly #runs = new Map<string, PendingRun>()
  readonly #lines = new Map<string, Promise<unknown>>()
  readonly #timers = new Map<string, Timer>()
  /** Given to the cluster by this process, which their logs may not say yet. */
  readonly #started = new Set<string>()
  /** Of those in memory: the cluster was asked, and does not know them. */
  readonly #unknown = new Set<string>()
  #isClosed = false

  constructor(parts: PendingParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#runs.size
  }

  /** A run that this process has just committed: nothing of it has to be read. */
  async accepted(accepted: Accepted): Promise<void> {
    const run = this.#parts.holds() ? await acceptedRun(accepted, this.#parts.store) : undefined
    const { id } = accepted.run
    // Whoever reads the inbox may have been faster.
    const isTaken = this.#isClosed || this.#lines.has(id) || this.#started.has(id) || this.#runs.has(id)
    if (run !== undefined && this.#parts.holds() && !isTaken) this.#runs.set(id, run)
  }

  /** Takes a run up, and starts it as soon as it may. */
  async takeUp(runId: string): Promise<FoundRun['kind']> {
    return this.#inLine(runId, async () => {
      const found = await this.#find(runId)
      if (found.kind === 'pending') await this.#advance(found.run)
      return found.kind
    })
  }

  /**
   * What is done to a run that has not begun: `decide` gives the events. False: it has begun, or has ended.
   * @throws temporal_unavailable where it has begun and the cluster does not have it yet
   */
  async change(
    runId: string,
    decide: (run: PendingRun) => readonly NewRunEvent[] | undefined,
    inboxId?: number,
  ): Promise<boolean> {
    return this.#inLine(runId, async () => {
      const found = await this.#find(runId)
      if (found.kind !== 'pending' || (await this.#isStarted(runId))) return false
      const { run } = found
      if (run.moved !== undefined) {
        await this.#startMoved(run)
        return false
      }
      // Done before, by a process that died behind it.
      if (inboxId !== undefined && run.inboxIds.has(inboxId)) return true
      const events = decide(run)
      if (events === undefined || events.length === 0) return true
      await this.#append(run, events)
      // What was asked for is on disk: whatever keeps the run from going on is no fault of it.
      await this.#advance(run).catch((error: unknown) => this.#later(runId, error, firstRetryMs))
      return true
    })
  }

  /** The run may begin, as far as its gate is concerned. */
  admitted(runId: string): void {
    this.takeUp(runId).catch((error: unknown) => this.#later(runId, error, firstRetryMs))
  }

  /** Another process moves the runs now, and this one knows nothing of them any more. */
  reset(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    for (const known of [this.#timers, this.#runs, this.#started, this.#unknown]) known.clear()
  }

  close(): void {
    this.#isClosed = true
    this.reset()
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#lines.values())
  }

  async #find(runId: string): Promise<FoundRun> {
    const known = this.#runs.get(runId)
    if (known !== undefined) return { kind: 'pending', run: known }
    const found = await findRun(this.#parts.store, runId)
    if (found.kind !== 'pending') this.#started.delete(runId)
    else if (this.#started.has(runId)) return { kind: 'started' }
    else this.#runs.set(runId, found.run)
    return found
  }

  /** A process that died may have given the run to the cluster and not lived to write so. */
  async #isStarted(runId: string): Promise<boolean> {
    if (this.#unknown.has(runId)) return false
    if (!(await this.#parts.isStarted(runId))) {
      this.#unknown.add(runId)
      return false
    }
    this.#handOver(runId)
    return true
  }

  #handOver(runId: string, record?: RunRecord): void {
    this.#runs.delete(runId)
    this.#unknown.delete(runId)
    this.#started.add(runId)
    this.#parts.onStarted(runId, record)
  }

  /** The run has ended: nothing more has to be known of it. */
  forget(runId: string): void {
    this.#started.delete(runId)
    this.#unknown.delete(runId)
  }

  #inLine<T>(runId: string, act: () => Promise<T>): Promise<T> {
    if (this.#isClosed) {
      return Promise.reject(
        problem('service_not_ready', { detail: 'The engine stops. Try again in a moment.' }),
      )
    }
    const acting = (this.#lines.get(runId) ?? Promise.resolve()).then(act, act)
    const line = acting
      .catch(() => {})
      .finally(() => {
        if (this.#lines.get(runId) === line) this.#lines.delete(runId)
      })
    this.#lines.set(runId, line)
    return acting
  }

  async #append(run: PendingRun, events: readonly NewRunEvent[]): Promise<void> {
    const { store } = this.#parts
    const { runId } = run.facts
    const expectedRunSeq = run.runSeq
    try {
      await store.write({ kind: 'append_run_events', runId, events, expectedRunSeq, unlessEnded: true })
    } catch (error) {
      // Somebody else wrote of the run, or it may be on disk: it is read again.
      this.#runs.delete(runId)
      if (error instanceof RunConflict) {
        throw problem('service_not_ready', {
          detail: 'The run was changed meanwhile. Try again in a moment.',
        })
      }
      throw error
    }
    run.runSeq += events.length
    for (const event of events) await foldPending(run, event, store)
    const isOver = events.some(({ type }) => type === 'run.cancelled' || type === 'run.failed')
    if (isOver) this.#drop(runId)
  }

  #drop(runId: string): void {
    this.#runs.delete(runId)
    this.#unknown.delete(runId)
    this.#timers.get(runId)?.cancel()
    this.#timers.delete(runId)
    this.#parts.gates.leave(runId)
  }

  /** What is done to it is for its definition, which has begun long ago. */
  async #startMoved(run: PendingRun): Promise<void> {
    await this.#advance(run)
    const { runId } = run.facts
    if (this.#started.has(runId)) return
    const detail = `The run ${runId} came from the embedded engine, and the cluster does not have it yet.`
    throw problem('temporal_unavailable', { detail, retryAfterSeconds: 1 })
  }

  /** Starts the run, or sees to it that it is looked at again when it may begin. */
  async #advance(run: PendingRun): Promise<void> {
    const { clock, timers } = this.#parts
    const { runId, definition } = run.facts
    if (!this.#runs.has(runId) || definition === '' || !this.#parts.holds()) return
    const nowMs = clock.nowMs()
    if (run.moved !== undefined) {
      await this.#takeOver(run)
      return
    }
    if (run.pausedBy !== undefined) {
      if (run.reason !== 'paused')
        await this.#wait(run, { reason: 'paused', detail: `Paused by ${run.pausedBy}.` })
      return
    }
    if (run.startAtMs !== undefined && run.startAtMs > nowMs) {
      this.#timers.get(runId)?.cancel()
      this.#timers.set(
        runId,
        timers.at(run.startAtMs, () => this.admitted(runId)),
      )
      if (run.reason !== 'timer') {
        await this.#wait(run, { reason: 'timer', until: new Date(run.startAtMs).toISOString() })
      }
      return
    }
    if (!(await this.#enter(run))) return
    await this.#start(run)
  }

  /** It is under way: its place is one more than there are, if need be, and who paused it did so in the part before. */
  async #takeOver(run: PendingRun): Promise<void> {
    const loaded = await this.#parts.definitions.load(run.facts.definition)
    if (loaded !== undefined) holdPlace(this.#parts.gates, run.facts, loaded)
    await this.#start(run)
  }

  async #wait(run: PendingRun, data: { reason: string; detail?: string; until?: string }): Promise<void> {
    await this.#append(run, [{ type: 'run.waiting', timeMs: this.#parts.clock.nowMs(), data }])
  }

  /** Whether its workflow lets it begin now. */
  async #enter(run: PendingRun): Promise<boolean> {
    const { gates, definitions, clock } = this.#parts
    const loaded = await definitions.load(run.facts.definition)
    const entered = enterGate(gates, run.facts, loaded?.definition.concurrency)
    const timeMs = clock.nowMs()
    switch (entered.kind) {
      case 'admitted':
        return true
      case 'queued':
        if (run.reason !== 'concurrency') await this.#wait(run, entered.wait)
        return false
      case 'blocked':
        if (run.reason !== 'blocked') await this.#wait(run, { reason: 'blocked', detail: entered.detail })
        return false
      case 'refused':
        // Border cast: type and data belong together.
        await this.#append(run, [{ ...entered.end, timeMs } as NewRunEvent])
        return false
    }
  }

  async #start(run: PendingRun): Promise<void> {
    const { runId } = run.facts
    // The answer to a start may be lost: whether the cluster knows the run is asked anew from here on.
    this.#unknown.delete(runId)
    let record: RunRecord | undefined
    try {
      record = await this.#parts.store.runs.get(runId)
      if (record?.run_seq !== run.runSeq || !this.#parts.holds()) {
        this.#runs.delete(runId)
        throw new Error('somebody else has changed it')
      }
      await this.#parts.start(run)
    } catch (error) {
      this.#later(runId, error, firstRetryMs)
      return
    }
    this.#handOver(runId, run.moved === undefined ? record : undefined)
  }

  /** The run is committed: whatever keeps it from being started now, it is tried again. */
  #later(runId: string, error: unknown, pauseMs: number): void {
    if (this.#isClosed || !this.#parts.holds()) return
    const { timers, clock, log } = this.#parts
    if (!isProblem(error, 'temporal_unavailable')) {
      log('warn', `Run ${runId} is started in ${pauseMs} ms: ${textOf(error)}`)
    }
    const next = Math.min(2 * pauseMs, longestRetryMs)
    this.#timers.get(runId)?.cancel()
    this.#timers.set(
      runId,
      timers.at(clock.nowMs() + pauseMs, () => {
        this.takeUp(runId).catch((failed: unknown) => this.#later(runId, failed, next))
      }),
    )
  }
}
