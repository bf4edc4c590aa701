import { randomBytes } from 'node:crypto'
import type { Why } from '@kyros/contract/job'
import { isProblem, ProblemError, problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { InboxMessage } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { type Definitions, prepareDefinitions } from '../definitions/definitions.ts'
import type { Engine, Principal, RunOperations } from '../engine.ts'
import { stackOf, textOf } from '../error-text.ts'
import type { StepFunction } from './attempt.ts'
import { ChildRuns } from './child-runs.ts'
import type { EngineLog, EngineParts } from './engine-parts.ts'
import { readHistory } from './history.ts'
import { Inbox } from './inbox.ts'
import { JournalWriter } from './journal-writer.ts'
import { createStoreLease, createTrivialLease, type Lease, LeaseHolder } from './lease.ts'
import type { LiveRun } from './live-run.ts'
import { type OperateMessage, obey } from './obey-message.ts'
import { sweepGates } from './operations/gate-keeping.ts'
import { operate, operationIn } from './operations/operate.ts'
import { createOperations } from './operations/operations.ts'
import { createPatientBlobs } from './patient-blobs.ts'
import { takeIn } from './payload.ts'
import { recover, takeUpForgotten } from './recovery.ts'
import { factsOfNew } from './run-facts.ts'
import { createRunGates } from './run-gates.ts'
import { historyOf, RunTable, type Unborn } from './run-table.ts'
import { createSlots, type SlotLimits } from './slots.ts'
import { type Accepted, createSubmitter, type Submitter } from './submit.ts'
import { createTimers, type EngineClock, type Timers } from './timers.ts'
import { type Loop, Turns } from './turns.ts'
import { isInTime } from './wait-limit.ts'
import { createWaitpointTokens, type WaitpointKey } from './waitpoint-tokens.ts'
import { explain, explainAway } from './why.ts'
import { guardRejections } from './workflow-scope.ts'
import { createWorkspaces } from './workspaces.ts'

// Queues may be made of inputs; health is no place for a list of them.
const maxShownQueues = 20

/** Implementations by workflow and step. */
export type StepsByWorkflow = { readonly [workflow: string]: { readonly [step: string]: StepFunction } }

export type EmbeddedEngineOptions = {
  store: Store
  workflows: readonly CatalogueEntry[]
  /** Prepared by the caller, who may replace them while the engine runs. Default: made of `workflows`. */
  definitions?: Definitions
  steps: StepsByWorkflow
  clock: EngineClock
  /** Private directories of runs. */
  workspaceDir: string
  /** Bundles of definitions; may be deleted while nothing runs. */
  cacheDir: string
  log: EngineLog
  /** Attempts that run at once in one queue. Default: 256. */
  maxAttempts?: number
  /** Attempts at once by queue and by concurrency key. */
  limits?: SlotLimits
  /** How often to look for accepted runs that a fault kept from being taken up. Default: 2 seconds. */
  sweepEveryMs?: number
  /** How long a run that waits for a timer or for somebody stays in memory. Default: 5 seconds. */
  evictAfterMs?: number
  /** Where time is simulated: how the event loop is shared. */
  loop?: Loop
  /** Runs that are not moved, because their code would stop this process. They can be cancelled. */
  leaveOut?: readonly string[]
  /**
   * Whether a run that continues as new does so on Temporal from there on, asked at each such boundary. It then waits for
   * whoever moves runs there. Default: no run does.
   */
  handsOver?: () => boolean
  /** How long a step that was told to stop may take. Default: 5 seconds. */
  abortGraceMs?: number
  /** What tokens of waitpoints are made with, and behind it older keys whose tokens hold. Default: another each time. */
  waitpointKeys?: readonly [WaitpointKey, ...WaitpointKey[]]
  /** PostgreSQL only: how long after its death another process takes the engine over. Default: 8 seconds. */
  leaseTtlMs?: number
  /** Who holds the lease: the same for all engines of one process. */
  holder?: LeaseHolder
}

// The first holder of a lease has 1, and before it nobody has a run to write of.
const noEpoch = 0

const leftOutText =
  'This server was started to leave this run out (engine.leave_out). Cancel it, or start without that.'

/** For an engine whose tokens need not outlive it. */
function passingKey(): WaitpointKey {
  return { id: 'passing_', key: randomBytes(32) }
}

/** The engine on Kyros' own store. It is ready when this resolves, and works once `run` is called. */
export async function createEmbeddedEngine(options: EmbeddedEngineOptions): Promise<Engine> {
  const { store, workflows, cacheDir, clock } = options
  const definitions =
    options.definitions ?? (await prepareDefinitions({ store, workflows, cacheDir, nowMs: clock.nowMs() }))
  const engine = new EmbeddedEngine(options, definitions)
  return Object.assign(engine, engine.operations)
}

class EmbeddedEngine implements Omit<Engine, keyof RunOperations> {
  readonly kind = 'embedded'
  readonly operations: RunOperations
  readonly #store: Store
  readonly #clock: EngineClock
  readonly #log: EngineLog
  readonly #parts: EngineParts
  readonly #table: RunTable
  readonly #inbox: Inbox
  readonly #submitter: Submitter
  readonly #lease: Lease
  /** Aborts when this process stops to hold the engine. */
  #holding: AbortController | undefined
  /** Aborts when this process stops to try for the lease. */
  readonly #stopping = new AbortController()
  #keeping: Promise<void> = Promise.resolve()
  #work: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | undefined
  #draining = false
  #closing = false
  #recovered = false
  #lastBug: string | undefined

  constructor(options: EmbeddedEngineOptions, definitions: Definitions) {
    const { store, clock, log } = options
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#lease = this.#createLease(options)
    this.#parts = this.#createParts(options, definitions)
    this.#table = new RunTable(this.#parts, () => this.#lease.lost())
    const operating = { ...this.#parts, table: this.#table }
    const obeying = {
      ...{ store, table: this.#table },
      operate: (run: LiveRun, message: OperateMessage, inboxId: number) =>
        operate(operating, run, operationIn(message), { actor: message.actor, inboxId }),
    }
    this.#inbox = new Inbox({ store, clock, log, obey: (one) => obey(obeying, one) })
    const mustAnnounce = () => this.#closing || !this.#lease.isHeld
    const onAccepted = (accepted: Accepted) => this.#onAccepted(accepted)
    const prepare = (accepted: Accepted) => this.#prepare(accepted)
    const { epoch, gates } = this.#parts
    this.#submitter = createSubmitter({
      store,
      clock,
      definitions,
      gates,
      mustAnnounce,
      epoch,
      prepare,
      onAccepted,
    })
    const isHeld = () => this.#lease.isHeld && !this.#closing
    this.operations = createOperations({
      parts: this.#parts,
      table: this.#table,
      isHeld,
      mustAnnounce,
      reach: (runId, message, act) => this.#reach(runId, message, act),
    })
  }

  workflows() {
    return [...this.#parts.definitions.startable.values()].map(({ entry, hash, version }) => ({
      name: entry.name,
      version,
      definition: hash,
      title: entry.title,
      description: entry.description,
      input_schema: { ...entry.inputSchema },
      steps: entry.steps.map((step) => ({ ...step })),
    }))
  }

  submit: Engine['submit'] = (submission) => this.#submitter.submit(submission)

  retry: Engine['retry'] = (jobId, next) => this.#submitter.retry(jobId, next)

  cancel(runId: string, reason: string, principal: Principal): Promise<void> {
    const actor = principal.id
    return this.#reach(runId, { type: 'cancel', runId, reason, actor }, (run) => run.cancel(reason, actor))
  }

  signal: Engine['signal'] = async (runId, signal, payload, principal, signalId) => {
    const sent = { signal, actor: principal.id, ...(signalId === undefined ? {} : { signalId }) }
    const stored = await takeIn(payload, `The payload of signal ${signal}`, this.#store.blobs)
    const message: InboxMessage = { type: 'signal', runId, payload: stored, ...sent }
    try {
      await this.#reach(runId, message, (run) => run.signal({ ...sent, payload, stored }))
    } catch (error) {
      const isRepeated = signalId !== undefined && isProblem(error, 'run_ended')
      // It may have been the last that the run took: then it was acknowledged, or would have been.
      if (!isRepeated || !(await readHistory(this.#store, runId)).signalIds.has(signalId)) throw error
    }
  }

  async why(runId: string): Promise<Why> {
    const record = await this.#record(runId)
    const { slots, gates } = this.#parts
    const engine = !this.#lease.isHeld ? 'elsewhere' : this.#recovered ? 'holds' : 'recovers'
    if (record.engine === 'temporal') return explainAway(record)
    const nowMs = this.#clock.nowMs()
    const fault = this.#table.lastFault(runId)
    return explain(record, this.#table.live.get(runId), { slots, gates, nowMs, engine, fault })
  }

  health(): ReturnType<Engine['health']> {
    const { slots, timers, clock } = this.#parts
    const waitingSinceMs = slots.waitingSinceMs ?? clock.nowMs()
    const { live, asleep } = this.#table
    let waiting = asleep
    for (const run of live.values()) if (run.shown !== undefined) waiting += 1
    const details = {
      holds_lease: this.#lease.isHeld,
      recovered: this.#recovered,
      active_runs: live.size + asleep,
      asleep_runs: asleep,
      waiting_runs: waiting,
      running_attempts: slots.used,
      waiting_attempts: slots.waiting,
      queues: slots.queues().slice(0, maxShownQueues),
      // How long the step that has waited longest for a slot has waited.
      lag_ms: Math.max(0, clock.nowMs() - waitingSinceMs),
      timers: timers.size,
      ...(this.#lastBug === undefined ? {} : { last_bug: this.#lastBug }),
    }
    const isWell = this.#lastBug === undefined && !this.#draining
    return { status: isWell ? 'healthy' : 'degraded', details }
  }

  async run(signal: AbortSignal): Promise<void> {
    const release = guardRejections()
    try {
      this.#keeping = this.#lease.keep(AbortSignal.any([signal, this.#stopping.signal]))
      await this.#keeping
      await aborted(signal)
    } finally {
      await this.#stop('The engine stops.')
      release()
    }
  }

  async drain(graceMs: number): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    this.#parts.slots.close()
    const untilMs = this.#clock.nowMs() + graceMs
    while (this.#parts.slots.used > 0 && this.#clock.nowMs() < untilMs) {
      await this.#clock.sleep(Math.min(20, Math.max(1, untilMs - this.#clock.nowMs())))
    }
    const settled = Promise.all([...this.#table.live.values()].map((run) => run.settled()))
    // An outage may keep runs from being written for as long as it lasts.
    const leftMs = Math.max(untilMs - this.#clock.nowMs(), this.#parts.abortGraceMs)
    if (!(await isInTime(settled, this.#clock, leftMs)))
      this.#log(
        'warn',
        'The engine stops before everything was written; it does the rest again at its next start.',
      )
    await this.#stop('The engine drains.')
  }

  /** Whoever asks for it again waits for the first: that still needs the timers that a second would stop. */
  #stop(reason: string): Promise<void> {
    this.#stopped ??= this.#stopOnce(reason)
    return this.#stopped
  }

  async #stopOnce(reason: string): Promise<void> {
    this.#closing = true
    this.#stopping.abort()
    this.#parts.slots.close()
    this.#holding?.abort()
    // Attempts are told at once. What was being taken up meanwhile is let go of behind that.
    const closing = this.#closeAll(reason)
    await this.#keeping
    await this.#work
    await closing
    await this.#closeAll(reason)
    this.#parts.timers.stop()
    await this.#lease
      .release()
      .catch((error: unknown) => this.#log('warn', `The lease ends by itself: ${String(error)}`))
  }

  /** Never rejects. */
  #closeAll(reason: string): Promise<void> {
    return this.#table.closeAll(reason).catch(this.#parts.onBug)
  }

  #createLease(options: EmbeddedEngineOptions): Lease {
    const { store, clock } = options
    const onHeld = () => this.#onHeld()
    if (store.dialect === 'sqlite') return createTrivialLease(onHeld)
    const onLost = () => this.#onLeaseLost()
    const onError = (error: unknown) =>
      this.#log('warn', `The engine's lease could not be renewed: ${String(error)}`)
    const ttlMs = options.leaseTtlMs ?? 8000
    const holder = options.holder ?? new LeaseHolder()
    return createStoreLease({ store, clock, holder, ttlMs, onHeld, onLost, onError })
  }

  #createParts(options: EmbeddedEngineOptions, definitions: Definitions): EngineParts {
    const { store, clock, log, steps } = options
    // Without the lease a write must be refused, and not go unchecked as on SQLite, where nobody has to hold one.
    const epoch = () => this.#lease.epoch ?? (store.dialect === 'sqlite' ? undefined : noEpoch)
    const writer = new JournalWriter({ store, clock, epoch, log })
    const timers = createTimers(clock)
    const blobs = createPatientBlobs(store.blobs, { clock, log, isClosing: () => this.#closing })
    return {
      store: { ...store, blobs },
      clock,
      log,
      definitions,
      timers,
      slots: createSlots(options.maxAttempts, () => clock.nowMs(), options.limits),
      gates: this.#createGates(),
      children: this.#createChildren(options, timers),
      waitpointTokens: createWaitpointTokens(options.waitpointKeys ?? [passingKey()]),
      workspaces: createWorkspaces(options.workspaceDir),
      abortGraceMs: options.abortGraceMs ?? 5000,
      epoch,
      isSure: () => this.#lease.isSure,
      writer,
      turns: new Turns(() => writer.flush(), options.loop),
      sweepEveryMs: options.sweepEveryMs ?? 2000,
      evictAfterMs: options.evictAfterMs ?? 5000,
      isClosing: () => this.#closing,
      handsOver: () => options.handsOver?.() ?? false,
      leftOut: (runId) => (options.leaveOut?.includes(runId) ? leftOutText : undefined),
      implementation: (workflow, step) => {
        const ofWorkflow = Object.hasOwn(steps, workflow) ? steps[workflow] : undefined
        return ofWorkflow !== undefined && Object.hasOwn(ofWorkflow, step) ? ofWorkflow[step] : undefined
      },
      onBug: (error) => {
        this.#lastBug = textOf(error)
        log('error', `A fault in the engine: ${stackOf(error)}`)
      },
    }
  }

  #createChildren({ store, clock, log }: EmbeddedEngineOptions, timers: Timers): ChildRuns {
    return new ChildRuns({
      ...{ store, clock, timers, log },
      submit: (submission) => this.submit(submission),
      cancel: (runId, reason) => this.cancel(runId, reason, { id: 'engine', role: 'admin' }),
      find: (runId) => this.#table.find(runId),
      isClosing: () => this.#closing,
    })
  }

  #createGates(): EngineParts['gates'] {
    const reach = (runId: string, act: (run: LiveRun) => unknown) =>
      this.#table
        .find(runId)
        .then((run) => run && act(run))
        .catch((error: unknown) =>
          this.#log('warn', `Run ${runId} is reached a little later: ${String(error)}`),
        )
    return createRunGates({
      onAdmitted: (runId) => void reach(runId, (run) => run.start()),
      cancel: (runId, reason) => void reach(runId, (run) => run.cancel(reason, 'engine')),
    })
  }

  #onHeld(): void {
    if (this.#closing) return
    const holding = new AbortController()
    this.#holding = holding
    const before = this.#work
    this.#work = before
      .then(() => this.#hold(holding.signal))
      .catch((error: unknown) => {
        if (!holding.signal.aborted) this.#parts.onBug(error)
      })
  }

  async #hold(signal: AbortSignal): Promise<void> {
    // From the first moment: until it was read, whatever comes has to queue up behind it.
    const inbox = this.#inbox.keep(signal)
    inbox.catch(() => {})
    await recover(this.#parts, this.#table, signal)
    this.#recovered = true
    this.#parts.gates.open()
    await Promise.all([
      inbox,
      sweepGates(this.#parts, (runId) => this.#table.isUnborn(runId), signal),
      takeUpForgotten(this.#parts, this.#table, signal),
    ])
  }

  #onLeaseLost(): void {
    const reason = 'Another process runs the engine now.'
    this.#log('warn', `${reason} This one goes on accepting work.`)
    this.#holding?.abort()
    this.#holding = undefined
    this.#recovered = false
    // Attempts are told at once: whoever has the engine begins them again. What is being taken up follows.
    const closing = this.#closeAll(reason)
    this.#work = this.#work.then(() => closing).then(() => this.#closeAll(reason))
  }

  /** Its first turn is part of the commit that makes a run: one wait for the disk less. */
  async #prepare({ run, events, priority, input }: Accepted): Promise<Unborn | undefined> {
    if (!this.#moves(run)) return undefined
    try {
      const unborn = await this.#table.prepare(factsOfNew(run, priority, input), historyOf(events))
      if (unborn === undefined) return undefined
      // Whoever holds the engine by then finds the run by itself.
      const born = () =>
        this.#moves(run) ? unborn.born() : unborn.refuse('Another process runs the engine.')
      return { ...unborn, born }
    } catch (error) {
      this.#log('warn', `Run ${run.id} begins a little later: ${String(error)}`)
      return undefined
    }
  }

  async #onAccepted({ run, events, priority, input }: Accepted): Promise<void> {
    // The commit told whoever runs the engine.
    if (!this.#moves(run)) return
    try {
      await this.#table.begin(factsOfNew(run, priority, input), historyOf(events))
    } catch (error) {
      this.#log('warn', `Run ${run.id} is accepted and taken up a little later: ${String(error)}`)
    }
  }

  #moves(run: Accepted['run']): boolean {
    return !this.#closing && this.#lease.isHeld && run.definition !== ''
  }

  async #reach(
    runId: string,
    message: InboxMessage,
    act: (run: NonNullable<Awaited<ReturnType<RunTable['find']>>>) => Promise<void>,
  ): Promise<void> {
    const isOurs = this.#lease.isHeld && !this.#closing && (await this.#inbox.caughtUp(runId))
    const run = isOurs ? await this.#table.find(runId) : undefined
    if (run !== undefined && (await this.#tried(() => act(run)))) return
    const record = await this.#record(runId)
    if (isTerminal(record.status)) {
      throw problem('run_ended', {
        detail: `The run ${runId} is ${record.status}: nothing reaches it any more.`,
      })
    }
    await this.#tell(message)
  }

  /** False: the engine let go of the run meanwhile, and the message takes the way over the inbox. */
  async #tried(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      if (error instanceof ProblemError && error.code !== 'service_not_ready') throw error
      return false
    }
  }

  /** To the engine of the run, which need not be this one. */
  async #tell(message: InboxMessage): Promise<void> {
    const timeMs = this.#clock.nowMs()
    try {
      await this.#store.write({ kind: 'put_inbox', message, timeMs })
    } finally {
      this.#inbox.filled()
    }
  }

  async #record(runId: string): Promise<RunRecord> {
    const record = await this.#store.runs.get(runId)
    if (record === undefined) throw problem('run_not_found', { detail: `There is no run ${runId}.` })
    return record
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
