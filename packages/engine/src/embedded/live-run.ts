import type { ForkOrigin, ParentLink } from '@kyros/contract/event'
import type { NewRunEvent } from '@kyros/store/command'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { durably } from './durable-turn.ts'
import type { EngineParts } from './engine-parts.ts'
import { emptyHistory, type History, type Shown } from './history.ts'
import { Journal } from './journal.ts'
import { RunLog } from './log-buffer.ts'
import { endsOfOpen, unwantedChildren } from './operations/fork-history.ts'
import { RunControl } from './operations/run-control.ts'
import { RunAsks } from './run-asks.ts'
import { RunCommands } from './run-commands.ts'
import type { RunFacts } from './run-facts.ts'
import { holdPlace } from './run-gates.ts'
import { createHands, type RunHands } from './run-hands.ts'
import { createRunHost } from './run-host.ts'
import { RunInbox, type Signal } from './run-inbox.ts'
import { type EndEvent, endOf } from './run-outcome.ts'
import { RunReplay } from './run-replay.ts'
import { RunStart } from './run-start.ts'
import { RunSteps } from './run-steps.ts'
import { RunTimers } from './run-timers.ts'
import { RunTurns } from './run-turns.ts'
import { showWait } from './run-waits.ts'
import type { Player } from './turns.ts'
import { isInTime } from './wait-limit.ts'
import type { WorkflowHost } from './workflow-host.ts'

export type LiveRunOptions = {
  parts: EngineParts
  run: RunFacts
  history: History
  /** Undefined: nothing can run yet (no agent), or the bundle is missing. */
  loaded: LoadedDefinition | undefined
  owner: RunOwner
}

/** Who keeps the runs in memory. */
export type RunOwner = {
  /** The run ended, and that is on disk. */
  onEnded(run: LiveRun): void
  /** The run goes on elsewhere, and that is on disk. */
  onHandedOver(run: LiveRun): void
  /** Memory and log differ; the run must be read again. */
  onLost(run: LiveRun, error: unknown): void
  /** Everything that happened is done, and the run waits for something outside. */
  onIdle(run: LiveRun): void
}

const handedOver = 'The run goes on with another engine.'

/**
 * A run in memory. Whatever happens to it (a result, a timer, a signal) takes its turn, one after the other: it becomes
 * an event, the definition goes on, what it asks for becomes events, and all of them are one write. The outside world
 * is touched only after that write.
 */
export class LiveRun implements Player {
  /** Its bundle changes where it continues as new on another. */
  facts: RunFacts
  readonly journal: Journal
  readonly log: RunLog
  readonly steps: RunSteps
  readonly timers: RunTimers
  host: WorkflowHost | undefined
  startedMs: number | undefined
  ended = false
  /** Set once a cancellation was asked for. */
  cancelReason: string | undefined
  blocked: string | undefined
  /** Undefined while nobody wants anything of the run and no limit is set. */
  control: RunControl | undefined
  shown: Shown | undefined
  /** Undefined while the definition asks for nothing but steps and timers. */
  asks: RunAsks | undefined
  /** Whose child it is. */
  readonly parent: ParentLink | undefined
  /** Of a fork: the run that made what it took over. */
  readonly origin: ForkOrigin | undefined
  readonly beginning: RunStart
  readonly #parts: EngineParts
  readonly #owner: RunOwner
  readonly #loaded: LoadedDefinition | undefined
  /** What replay compares with; empty once the run has caught up. */
  history: History
  readonly #inbox: RunInbox
  readonly #turns = new RunTurns()
  /** Events of the history that the definition has not seen yet. */
  #replay: RunReplay | undefined
  readonly #commands: RunCommands
  #closed = false

  constructor(options: LiveRunOptions) {
    const { parts, owner, run, history, loaded } = options
    this.#parts = parts
    this.#owner = owner
    this.#loaded = loaded
    const { traceparent } = history
    this.facts = traceparent === undefined ? run : { ...run, traceparent }
    this.history = history
    this.startedMs = history.startedMs
    this.parent = history.parent
    this.origin = history.origin
    this.cancelReason = history.cancelReason
    this.shown = history.shown
    this.#inbox = new RunInbox(this, history)
    this.journal = new Journal(parts, this, history.runSeq)
    this.journal.startFrom(history.lastMs)
    this.log = new RunLog(parts, run.runId)
    const budget = loaded?.definition.budget
    if (history.control !== undefined || budget !== undefined) {
      this.control = new RunControl(parts, history.control, budget)
    }
    this.steps = new RunSteps(parts, this, history.activity.totalMs)
    this.timers = new RunTimers(parts.timers, this)
    this.#commands = new RunCommands(parts, this)
    this.beginning = new RunStart(parts, this)
    if (loaded !== undefined) this.host = this.createHost(loaded)
  }

  /** Takes the run up from its history: replays, and lets go on what was waiting. */
  resume(): void {
    this.post(() => this.#resume())
  }

  /** Begins the run now, unless it has begun. */
  start(): void {
    this.post(() => this.beginning.begin())
  }

  /** Lets a run that is not committed yet go as far as it can; what it said is to be committed with it. */
  async prepare(): Promise<NewRunEvent[]> {
    this.journal.hold()
    this.resume()
    await this.#isQuiet()
    return this.journal.takeHeld()
  }

  /** The run is committed with what `prepare` gave: the outside world may be touched. */
  born(): void {
    this.journal.born()
    this.#parts.writer.flush()
    if (this.beginning.wait?.reason === 'concurrency') this.start()
    if (this.shown !== undefined && !this.ended) this.#owner.onIdle(this)
  }

  /** The run was not committed, or is not ours to move: nothing of it happened. */
  async refuse(reason: string): Promise<void> {
    this.journal.lost(new Error(reason))
    await this.close(reason)
  }

  /** Durable when this resolves. @throws run_ended */
  cancel(reason: string, actor: string): Promise<void> {
    return this.#durable((done, lost) => this.#inbox.cancel(reason, actor, done, lost))
  }

  /** Durable when this resolves. The same `inboxId` or `signalId` is taken once. @throws run_ended */
  signal(signal: Signal): Promise<void> {
    return this.#durable((done, lost) => this.#inbox.signal(signal, done, lost))
  }

  /** Something done to the run from outside, in its turn. Durable as `turn` says. @throws run_ended */
  act(turn: (hands: RunHands, done: () => void, lost: (error: unknown) => void) => void): Promise<void> {
    return this.#durable((done, lost) => turn(this.#hands(), done, lost))
  }

  /** Its control, made when somebody first wants something of it. */
  controlled(): RunControl {
    this.control ??= new RunControl(this.#parts, undefined, this.#loaded?.definition.budget)
    return this.control
  }

  /** Why the run may begin no attempt now. */
  get held(): Shown | undefined {
    const { control } = this
    if (control === undefined || this.cancelReason !== undefined) return undefined
    return control.held(this.steps.activeMs(this.#parts.clock.nowMs()))
  }

  /**
   * Stops without a trace in the log. Resolves when attempts ended and what was pushed before is written, or an outage
   * kept it from being written for as long as attempts may take to stop.
   */
  async close(reason: string): Promise<void> {
    const { clock, abortGraceMs, onBug } = this.#parts
    this.#closed = true
    this.beginning.close()
    this.control?.close()
    this.timers.close()
    this.asks?.close(reason)
    await this.steps.close(reason)
    await isInTime(this.settled(), clock, abortGraceMs)
    this.#turns.takeAll(onBug)
    this.journal.drop(new Error(reason))
    await this.log.flush()
  }

  /** When the run moves by itself; Infinity where only somebody from outside moves it. */
  get wakeAtMs(): number {
    if (this.held?.reason === 'paused') return Infinity
    const endMs = this.blocked === undefined ? (this.beginning.dueMs ?? Infinity) : Infinity
    const firesMs = Math.min(this.timers.nextMs ?? Infinity, this.asks?.waitpoints.nextMs ?? Infinity)
    return Math.min(firesMs, endMs)
  }

  /** Lets go of an idle run: what it waits for is somebody else's now. */
  release(): void {
    this.#closed = true
    this.beginning.close()
    this.timers.close()
    this.asks?.close('The run sleeps.')
    this.journal.drop(new Error('The run sleeps.'))
  }

  /** How often it has continued as new. */
  get part(): number {
    return this.host?.part ?? 0
  }

  /** While it is shown its history. */
  get isCatchingUp(): boolean {
    return this.#replay !== undefined && !this.#closed
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** True for a fork that has not begun. */
  get awaitsPlace(): boolean {
    return this.startedMs === undefined && this.history.awaitsPlace
  }

  /** Messages of other processes that it has taken. */
  get seenInbox(): ReadonlySet<number> | undefined {
    return this.#inbox.taken
  }

  /** The last signals with an id of their own that it has taken. */
  get seenSignals(): ReadonlySet<string> | undefined {
    return this.#inbox.signalIds
  }

  /** Resolves when nothing is under way: no turn and no write. */
  async settled(): Promise<void> {
    await this.#isQuiet()
    await this.journal.settled()
  }

  /** True when nothing of the run is under way in this process: only timers and the outside can move it. */
  get isIdle(): boolean {
    const isQuiet = this.#turns.isEmpty && !this.#isBusy && this.journal.isSettled
    // Somebody waits for an answer of its definition: that comes only here.
    if (this.asks?.updates.isAwaited === true) return false
    return isQuiet && this.steps.isAtRest && !this.steps.hasAttempts && this.log.isEmpty
  }

  /** Something to do in this run's turn; forgotten once the run is closed. */
  post(turn: () => void): void {
    if (!this.#closed) this.#enqueue(turn)
  }

  take(): void {
    if (this.#closed) {
      this.#replay = undefined
      this.#commands.drop()
    }
    if (!this.#isBusy) this.#turns.take()
    const seen = this.#replay?.next()
    if (seen !== undefined) this.host?.apply(seen)
  }

  wake(): boolean {
    return this.host?.meetConditions() ?? false
  }

  settle(): boolean {
    if (this.#commands.isStoring) return false
    if (!this.#closed && this.#replay === undefined) this.#absorb()
    else if (!this.#closed && this.#replay?.isOver) this.#caughtUp()
    if (this.#commands.isStoring) return false
    if (!this.#turns.isEmpty || this.#isBusy) return true
    if (!this.#closed) showWait(this)
    this.#tellQuiet()
    return false
  }

  fail(error: unknown): void {
    const { onBug } = this.#parts
    onBug(error)
    this.#closed = true
    this.#replay = undefined
    this.#commands.drop()
    this.#owner.onLost(this, error)
    this.#turns.takeAll(onBug)
    this.#tellQuiet()
  }

  /** After the end: resolves when no attempt runs and the log is written. */
  async quiet(): Promise<void> {
    await this.steps.attemptsEnded()
    await this.log.flush()
  }

  get #isBusy(): boolean {
    return this.#replay !== undefined || this.#commands.isBusy
  }

  #enqueue(turn: () => void): void {
    this.#turns.add(turn)
    if (!this.#commands.isStoring) this.#parts.turns.queue(this)
  }

  #isQuiet(): Promise<void> {
    return this.#turns.isEmpty && !this.#isBusy ? Promise.resolve() : this.#turns.untilQuiet()
  }

  #tellQuiet(): void {
    this.#turns.tellQuiet()
    if (this.shown !== undefined && !this.ended && !this.#closed) this.#owner.onIdle(this)
  }

  #durable(turn: (done: () => void, lost: (error: unknown) => void) => void): Promise<void> {
    return durably(this.#parts, this, (own) => this.#enqueue(own), turn)
  }

  /** A host for the run, on a history of which these commands are known. */
  createHost(loaded: LoadedDefinition, recorded = this.history.recorded): WorkflowHost {
    return createRunHost(this.#parts, this, loaded, recorded)
  }

  /** What the run asks of the outside beside steps and timers, made when it first does. */
  asked(): RunAsks {
    this.asks ??= new RunAsks(this.#parts, this)
    return this.asks
  }

  /** Goes on with a host of its own for the next part, which sees `event` first. */
  beginPart(facts: RunFacts, loaded: LoadedDefinition, event: NewRunEvent): void {
    this.history = emptyHistory()
    this.timers.beginPart()
    this.asks?.beginPart()
    this.facts = facts
    this.host = this.createHost(loaded)
    this.#turns.addFirst(() => this.apply(event))
  }

  /**
   * Ends what is kept of it here with `event`, which its next part begins with: that part is another engine's. Whoever
   * waits for a turn hears that it was let go of.
   */
  handOver(event: Pick<NewRunEvent, 'type' | 'data'>): void {
    // What the next part is read from begins without it.
    if (this.shown !== undefined) this.push({ type: 'run.resumed', data: {} })
    this.shown = undefined
    this.#closed = true
    this.beginning.close()
    this.control?.close()
    this.timers.close()
    this.asks?.close(handedOver)
    if (!this.log.isEmpty) void this.log.flush()
    this.push(event, () => this.#owner.onHandedOver(this))
    this.journal.seal(new Error(handedOver))
  }

  #resume(): void {
    const history = this.history
    if (history.ended) return void this.#owner.onEnded(this)
    if (this.facts.definition === '') return
    if (this.parent !== undefined) this.#parts.children.adopt(this.facts.runId, this.parent)
    if (this.host === undefined) {
      this.block(`The bundle ${this.facts.definition} of this run's definition is not in the store.`)
      return
    }
    if (history.startedMs === undefined) {
      // They came before its start, and wait in memory for it.
      const early = history.awaitsPlace ? [] : history.events
      for (const event of early) if (event.type === 'signal.received') this.host.apply(event)
      this.beginning.at(this.history.startAtMs)
      return
    }
    holdPlace(this.#parts.gates, this.facts, this.host.loaded)
    this.replay()
  }

  /** Shows the definition what is in the log; then the run goes on. */
  replay(): void {
    if (this.host !== undefined) this.host.replaying = true
    this.#replay = new RunReplay(this.history.events)
  }

  #caughtUp(): void {
    const history = this.history
    this.host?.checkAllIssued()
    if (this.host !== undefined) this.host.replaying = false
    this.#replay = undefined
    this.beginning.limit()
    this.timers.takeUp(history.timers, this.#firesByMs(history))
    if (history.asks !== undefined) this.asked().takeUp(history.asks)
    this.#absorb()
    this.control?.enforce(this, this.#hands())
    // The events are in the log; keeping them here too would cost memory for nothing.
    this.history = emptyHistory()
  }

  /** Timers that are due by then need no clock, as nothing else fell due before them. */
  #firesByMs({ asks, steps }: History): number {
    const nowMs = this.#parts.clock.nowMs()
    if (asks !== undefined || (this.beginning.dueMs ?? Infinity) <= nowMs) return -Infinity
    for (const { state } of steps.values()) if (state !== 'ended') return -Infinity
    return nowMs
  }

  #hands(): RunHands {
    return createHands(this, this.#inbox, this.#commands)
  }

  /** What held the run may be over: begins what waited for that. */
  letGo(): void {
    this.beginning.limit()
    if (this.held !== undefined) return
    if (this.startedMs === undefined && this.beginning.wait === undefined) this.beginning.begin()
    this.steps.letGo()
    this.timers.letGo(this.#parts.clock.nowMs())
    this.asks?.letGo(this.#parts.clock.nowMs())
  }

  /** Lets the definition see an event that was just recorded. */
  apply(event: NewRunEvent): void {
    // Seen in its turn, behind what the fork takes over.
    if (this.awaitsPlace) this.history.events.push(event)
    else if (!this.ended) this.host?.apply(event)
  }

  /** Turns what the definition asked for into events, steps and timers. */
  #absorb(): void {
    const { host } = this
    if (host === undefined || !this.#commands.carryOut() || host.outcome === undefined || this.ended) return
    const end = endOf(host.outcome, this.cancelReason)
    if ('blocked' in end) this.block(end.blocked)
    else this.finish(end)
  }

  /** The run stays, and goes on when its definition is put right. */
  block(detail: string): void {
    this.blocked ??= detail
    this.asks?.updates.tellBlocked(this.blocked)
  }

  /** Records of everything under way that the run does not want it any more. */
  stopAll(reason: string): void {
    if (this.awaitsPlace || this.host === undefined) this.#endUnplayed()
    for (const row of this.steps.rows.values()) this.steps.cancel(row, reason, true)
    this.timers.cancelAll()
    this.asks?.cancelAll()
  }

  /** What the log says is under way, and was not taken up: the fork waits for its place, or nothing can replay it. */
  #endUnplayed(): void {
    const { history } = this
    for (const event of endsOfOpen(history)) this.push(event)
    for (const [runId, parentClose] of unwantedChildren(history)) {
      this.#parts.children.close(runId, parentClose)
    }
  }

  /** Ends the run; nothing more of it is recorded. */
  finish(end: Pick<EndEvent, 'type' | 'data'>): void {
    if (this.ended) return
    this.ended = true
    this.beginning.close()
    this.control?.close()
    // Handed over before the end is: who sees the end finds the whole log. It never rejects.
    if (!this.log.isEmpty) void this.log.flush()
    this.push(end, () => this.#owner.onEnded(this))
  }

  /** Says something in the log, in the run's turn. */
  push(
    event: Pick<NewRunEvent, 'type' | 'data'> & { actor?: string },
    whenDurable?: () => void,
    whenLost?: (error: unknown) => void,
  ): NewRunEvent {
    // Border cast: `type` and `data` were written together by the caller.
    const stamped = { ...event, timeMs: this.journal.stampMs() } as NewRunEvent
    this.journal.push(stamped, whenDurable, whenLost)
    return stamped
  }

  onLost(error: unknown): void {
    this.#owner.onLost(this, error)
  }

  onActive(isActive: boolean): void {
    this.control?.onActive(this, isActive)
  }
}
