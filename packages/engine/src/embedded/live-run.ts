import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { NewRunEvent } from '@kyros/store/command'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import type { EngineParts } from './engine-parts.ts'
import type { History, Shown } from './history.ts'
import { Journal } from './journal.ts'
import { createRunLog, type RunLog } from './log-buffer.ts'
import { maxPayloadBytes, toStored } from './payload.ts'
import type { RunFacts } from './run-facts.ts'
import { RunSteps } from './run-steps.ts'
import { RunTimers } from './run-timers.ts'
import { type Command, type Outcome, WorkflowHost } from './workflow-host.ts'

export type LiveRunOptions = {
  parts: EngineParts
  run: RunFacts
  history: History
  /** Undefined: nothing can run yet (no agent), or the bundle is missing. */
  loaded: LoadedDefinition | undefined
  /** The run ended, and that is on disk. */
  onEnded: (run: LiveRun) => void
  /** Memory and log differ; the run must be read again. */
  onLost: (run: LiveRun, error: unknown) => void
}

type EndEvent = Extract<
  NewRunEvent,
  { type: 'run.completed' | 'run.failed' | 'run.cancelled' | 'run.timed_out' }
>

/**
 * A run in memory. Whatever happens to it (a result, a timer, a signal) takes its turn, one after the other: it becomes
 * an event, the definition goes on, what it asks for becomes events, and all of them are one write. The outside world
 * is touched only after that write.
 */
export class LiveRun {
  readonly facts: RunFacts
  readonly steps: RunSteps
  readonly timers: RunTimers
  readonly history: History
  host: WorkflowHost | undefined
  startedMs: number | undefined
  ended = false
  /** Set once a cancellation was asked for. */
  cancelReason: string | undefined
  blocked: string | undefined
  shown: Shown | undefined
  readonly #options: LiveRunOptions
  readonly #journal: Journal
  readonly #log: RunLog
  readonly #seenInbox: Set<number>
  #turns: (() => Promise<void> | void)[] = []
  #taking: Promise<void> = Promise.resolve()
  #isTaking = false
  #replaying = false
  #closed = false
  /** Until the run began: its start; then its end. */
  #timeout: { cancel(): void } | undefined

  constructor(options: LiveRunOptions) {
    const { parts, run, history, loaded } = options
    const { store, clock, timers, epoch, log } = parts
    const { runId } = run
    this.#options = options
    this.facts = run
    this.history = history
    this.startedMs = history.startedMs
    this.cancelReason = history.cancelReason
    this.shown = history.shown
    this.#seenInbox = history.inboxIds
    const onLost = (error: unknown) => this.#options.onLost(this, error)
    this.#journal = new Journal({ store, clock, runId, runSeq: history.runSeq, epoch, log, onLost })
    this.#journal.startFrom(history.lastMs)
    this.#log = createRunLog({ store, runId, timers, clock, onError: (error) => this.#warn(error) })
    const post = (turn: () => Promise<void> | void) => this.post(turn)
    const onResult = (event: NewRunEvent) => this.#deliver(event)
    this.steps = new RunSteps({ parts, run, journal: this.#journal, log: this.#log, post, onResult })
    this.timers = new RunTimers({ timers, journal: this.#journal, post, onFired: onResult })
    if (loaded !== undefined) this.host = this.#createHost(loaded)
  }

  /** Takes the run up from its history: replays, and lets go on what was waiting. */
  resume(): void {
    this.post(() => this.#resume())
  }

  /** Begins the run now, unless it has begun. */
  start(): void {
    this.post(() => this.#start())
  }

  /** Durable when this resolves. @throws run_ended */
  cancel(reason: string, actor: string): Promise<void> {
    return this.#durable((done, lost) => this.#cancel(reason, actor, done, lost))
  }

  /** Durable when this resolves. The same `inboxId` is taken once. @throws run_ended */
  signal(signal: string, payload: Json, actor: string, inboxId?: number): Promise<void> {
    return this.#durable((done, lost) => this.#signal({ signal, payload, actor, inboxId }, done, lost))
  }

  /** Stops without a trace in the log. Resolves when attempts ended and what was pushed before is written. */
  async close(reason: string): Promise<void> {
    this.#closed = true
    this.#timeout?.cancel()
    this.timers.close()
    await this.steps.close(reason)
    await this.#taking
    await this.#journal.settled()
    this.#journal.drop(new Error(reason))
    await this.#log.flush()
  }

  /** Resolves when nothing is under way: no turn and no write. */
  async settled(): Promise<void> {
    while (this.#isTaking) await this.#taking
    await this.#journal.settled()
  }

  post(turn: () => Promise<void> | void): void {
    this.#enqueue(() => (this.#closed ? undefined : turn()))
  }

  #enqueue(turn: () => Promise<void> | void): void {
    this.#turns.push(turn)
    if (this.#isTaking) return
    this.#isTaking = true
    this.#taking = this.#takeTurns()
  }

  async #takeTurns(): Promise<void> {
    try {
      for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) await turn()
      if (!this.#closed) this.#show()
    } catch (error) {
      this.#options.parts.onBug(error)
      this.#options.onLost(this, error)
    }
    this.#isTaking = false
    this.#journal.flush()
  }

  #durable(turn: (done: () => void, lost: (error: unknown) => void) => Promise<void> | void): Promise<void> {
    const { runId } = this.facts
    return new Promise((resolve, reject) => {
      this.#enqueue(() => {
        if (this.#closed)
          return reject(problem('service_not_ready', { detail: 'The engine is stopping. Try again.' }))
        if (!this.ended) return turn(resolve, reject)
        reject(problem('run_ended', { detail: `The run ${runId} has ended: nothing reaches it any more.` }))
      })
    })
  }

  #createHost(loaded: LoadedDefinition): WorkflowHost {
    const { runId, workflow, version, attempt, maxRetries, input } = this.facts
    const onLog = (level: 'info' | 'warn' | 'error', message: string) => {
      if (this.#replaying) return
      this.#log.add({ timeMs: this.#options.parts.clock.nowMs(), level, step: null, attempt: null, message })
    }
    const run = { runId, workflow, version, attempt, maxRetries, input }
    return new WorkflowHost({ run, loaded, recorded: this.history.recorded, onLog })
  }

  async #resume(): Promise<void> {
    const { host, history } = this
    if (history.ended) return this.#options.onEnded(this)
    if (this.facts.definition === '') return
    if (host === undefined) {
      this.#block(`The bundle ${this.facts.definition} of this run's definition is not in the store.`)
      return
    }
    this.#replaying = true
    for (const event of history.events) await host.deliver(event)
    if (history.startedMs !== undefined) host.checkAllIssued()
    this.#replaying = false
    this.timers.takeUp(history.timers)
    // The events are in the log; keeping them here too would cost memory for nothing.
    history.events = []
    if (history.startedMs === undefined) return this.#waitForStart()
    this.#armTimeout(history.startedMs)
    await this.#absorb()
    for (const row of this.steps.rows.values()) if (row.state !== 'ended') this.steps.dispatch(row)
  }

  #waitForStart(): void {
    const until = this.shown?.reason === 'timer' ? this.shown.until : undefined
    if (until === undefined) {
      this.start()
    } else {
      this.#timeout = this.#options.parts.timers.at(Date.parse(until), () => this.start())
    }
  }

  async #start(): Promise<void> {
    if (this.startedMs !== undefined || this.ended || this.host === undefined) return
    const event = this.#push({ type: 'run.started', data: {} })
    this.shown = undefined
    this.startedMs = event.timeMs
    this.#armTimeout(event.timeMs)
    await this.#deliver(event)
  }

  #armTimeout(startedMs: number): void {
    const dueMs = startedMs + this.facts.timeoutSeconds * 1000
    this.#timeout = this.#options.parts.timers.at(dueMs, () => this.post(() => this.#timeOut()))
  }

  /** A run that is blocked as a bug is not ended by its time limit: the fault is not the user's. */
  #timeOut(): void {
    if (this.ended || this.blocked !== undefined) return
    const message = `The run took longer than its limit of ${this.facts.timeoutSeconds} seconds.`
    this.#stopAll(message)
    this.#finish({ type: 'run.timed_out', data: { error: { code: 'run_timed_out', message } } })
  }

  async #cancel(
    reason: string,
    actor: string,
    done: () => void,
    lost: (error: unknown) => void,
  ): Promise<void> {
    if (this.cancelReason !== undefined) return done()
    this.cancelReason = reason
    const event = this.#push({ type: 'run.cancel_requested', actor, data: { reason } }, done, lost)
    if (this.startedMs !== undefined && this.blocked === undefined) return this.#deliver(event)
    this.#stopAll(reason)
    this.#finish({ type: 'run.cancelled', data: { reason } })
  }

  async #signal(
    message: { signal: string; payload: Json; actor: string; inboxId: number | undefined },
    done: () => void,
    lost: (error: unknown) => void,
  ): Promise<void> {
    const { signal, payload, actor, inboxId } = message
    if (inboxId !== undefined && this.#seenInbox.has(inboxId)) return done()
    if (inboxId !== undefined) this.#seenInbox.add(inboxId)
    const data = { signal, payload, ...(inboxId === undefined ? {} : { inbox_id: inboxId }) }
    await this.#deliver(this.#push({ type: 'signal.received', actor, data }, done, lost))
  }

  async #deliver(event: NewRunEvent): Promise<void> {
    if (this.host === undefined || this.ended) return
    await this.host.deliver(event)
    await this.#absorb()
  }

  /** Turns what the definition asked for into events, steps and timers. */
  async #absorb(): Promise<void> {
    const { host } = this
    if (host === undefined) return
    for (const command of host.take()) await this.#obey(command)
    if (host.outcome !== undefined && !this.ended) this.#conclude(host.outcome)
  }

  async #obey(command: Command): Promise<void> {
    switch (command.kind) {
      case 'step':
        return this.#addStep(command)
      case 'timer':
        return this.timers.add(command)
      case 'cancel_timer':
        return this.timers.cancel(command.command, command.runEnded ?? false)
      case 'cancel_step': {
        const row = this.steps.rows.get(command.command)
        return row === undefined
          ? undefined
          : this.steps.cancel(row, 'The run does not need this step any more.', command.runEnded ?? false)
      }
    }
  }

  async #addStep(asked: Extract<Command, { kind: 'step' }>): Promise<void> {
    const { command, step, key, input, options } = asked
    const row = { command, step, key, input, options, attempt: 0, state: 'scheduled' as const }
    const known = this.history.steps.get(command)
    if (known !== undefined) {
      const { attempt, retryAtMs } = known
      const state = known.state === 'running' ? 'cut' : known.state === 'backoff' ? 'scheduled' : known.state
      // An attempt cut off by the end of the engine keeps its number: `dispatch` begins it again.
      this.steps.rows.set(command, { ...row, attempt, state, retryAtMs })
      return
    }
    const stored = await this.#storedInput(step, input)
    if (stored === undefined) return
    this.#push({
      type: 'step.scheduled',
      data: { step, key, command, input: stored, max_attempts: options.maxAttempts },
    })
    const fresh = { ...row }
    this.steps.rows.set(command, fresh)
    this.steps.dispatch(fresh)
  }

  async #storedInput(step: string, input: Json): Promise<Json | undefined> {
    try {
      return await toStored(input, `The input of step ${step}`, this.#options.parts.store.blobs)
    } catch (error) {
      this.#block(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  #conclude(outcome: Outcome): void {
    if (outcome.kind === 'blocked') this.#block(outcome.detail)
    else if (outcome.kind === 'completed' && JSON.stringify(outcome.result).length > maxPayloadBytes) {
      this.#block('The result is larger than 1 MB. Keep the data as an artifact and return its name.')
    } else this.#finish(endOf(outcome, this.cancelReason))
  }

  /** The run stays, and goes on when its definition is put right. */
  #block(detail: string): void {
    this.blocked ??= detail
  }

  #stopAll(reason: string): void {
    for (const row of this.steps.rows.values()) this.steps.cancel(row, reason, true)
    this.timers.cancelAll()
  }

  #finish(end: Pick<EndEvent, 'type' | 'data'>): void {
    if (this.ended) return
    this.ended = true
    this.#timeout?.cancel()
    // Handed over before the end is: who sees the end finds the whole log. It never rejects.
    void this.#log.flush()
    this.#push(end, () => this.#options.onEnded(this))
  }

  /** Says in the log when a run begins to wait, and when it goes on. */
  #show(): void {
    if (this.ended || this.startedMs === undefined) {
      if (this.blocked === undefined || this.ended) return
    }
    const next = this.#waitsFor()
    const before = this.shown
    if (next?.reason === before?.reason && next?.detail === before?.detail && next?.until === before?.until)
      return
    this.shown = next
    this.#push(next === undefined ? { type: 'run.resumed', data: {} } : { type: 'run.waiting', data: next })
  }

  #waitsFor(): Shown | undefined {
    if (this.blocked !== undefined) return { reason: 'blocked', detail: this.blocked }
    const missing: string[] = []
    for (const row of this.steps.rows.values()) {
      if (row.state === 'missing') missing.push(row.step)
      else if (row.state !== 'ended') return undefined
    }
    const step = missing[0]
    if (step !== undefined) {
      const detail = `Nothing here does the step ${step}. Start a process whose steps include it.`
      return { reason: 'worker_missing', detail }
    }
    const untilMs = this.timers.nextMs
    const until = untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }
    if ((this.host?.conditions.size ?? 0) > 0 || this.host?.waitsForSignal)
      return { reason: 'signal', ...until }
    if (untilMs !== undefined) return { reason: 'timer', ...until }
    this.#block(
      'The definition waits for something that is no step, timer or signal, so nothing can move it.',
    )
    return { reason: 'blocked', detail: this.blocked ?? '' }
  }

  #push(
    event: Pick<NewRunEvent, 'type' | 'data'> & { actor?: string },
    whenDurable?: () => void,
    whenLost?: (error: unknown) => void,
  ): NewRunEvent {
    // Border cast: `type` and `data` were written together by the caller.
    const stamped = { ...event, timeMs: this.#journal.stampMs() } as NewRunEvent
    this.#journal.push(stamped, whenDurable, whenLost)
    return stamped
  }

  #warn(error: unknown): void {
    this.#options.parts.log('warn', `Log lines of run ${this.facts.runId} were lost: ${String(error)}`)
  }

  /** After the end: resolves when no attempt runs and the log is written. */
  async quiet(): Promise<void> {
    await this.steps.attemptsEnded()
    await this.#log.flush()
  }
}

function endOf(
  outcome: Exclude<Outcome, { kind: 'blocked' }>,
  cancelReason = 'cancelled',
): Pick<EndEvent, 'type' | 'data'> {
  switch (outcome.kind) {
    case 'completed':
      return { type: 'run.completed', data: { result: outcome.result } }
    case 'failed':
      return { type: 'run.failed', data: { reason: outcome.reason, error: outcome.error } }
    case 'cancelled':
      return { type: 'run.cancelled', data: { reason: cancelReason } }
  }
}
