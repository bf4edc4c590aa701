import { ProblemError, problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { InboxMessage } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import type { Client } from '@temporalio/client'
import type { PayloadCodec } from '@temporalio/common'
import type { Definitions } from '../definitions/definitions.ts'
import type { EngineLog } from '../embedded/engine-parts.ts'
import { Inbox } from '../embedded/inbox.ts'
import { createStoreLease, createTrivialLease, type Lease, LeaseHolder } from '../embedded/lease.ts'
import type { Message } from '../embedded/obey-message.ts'
import { factsOf } from '../embedded/run-facts.ts'
import { createRunGates, holdPlace, type RunGates, rejectionOf } from '../embedded/run-gates.ts'
import { createSubmitter, type Submitter } from '../embedded/submit.ts'
import { createTimers, type EngineClock, type Timers } from '../embedded/timers.ts'
import { isInTime } from '../embedded/wait-limit.ts'
import type { WaitpointKey } from '../embedded/waitpoint-tokens.ts'
import type { Engine, RunOperations } from '../engine.ts'
import { textOf } from '../error-text.ts'
import { Builds } from './builds.ts'
import { ChildRows } from './child-rows.ts'
import { Cluster, type NewExecution } from './cluster.ts'
import { explainRun } from './explain-wait.ts'
import { Followers } from './followers.ts'
import { createTemporalOperations } from './operations.ts'
import { PendingTable } from './pending-table.ts'
import { HistoryReader } from './read-history.ts'
import { RunMessages } from './run-messages.ts'
import { searchOf } from './search-attributes.ts'
import type { SearchKinds } from './search-kinds.ts'
import { startOf } from './start-run.ts'

export type TemporalEngineOptions = {
  store: Store
  definitions: Definitions
  clock: EngineClock
  log: EngineLog
  /** The client of the cluster. @throws temporal_unavailable, … */
  client: () => Promise<Client>
  namespace: string
  taskQueue: string
  codecs?: readonly PayloadCodec[]
  waitpointKeys: readonly [WaitpointKey, ...WaitpointKey[]]
  /** False: what errors of runs say is readable on the cluster. Default: true. */
  encryptsErrors?: boolean
  /** Attributes of runs that the cluster may show in the clear; it must have them. Default: none. */
  searchAttributes?: SearchKinds
  /** What becomes of a new run while the cluster is away. Default: `reject`. */
  whenUnavailable?: 'reject' | 'queue'
  /** What is wrong with the cluster as far as is known, asked before a run is accepted; undefined while all is well. */
  outage?: () => Error | undefined
  /** PostgreSQL only: how long after its death another process takes over. Default: 8 seconds. */
  leaseTtlMs?: number
  /** Who holds the lease: the same for all engines of one process. */
  holder?: LeaseHolder
  /** How often to look for runs that nobody follows. Default: 2 seconds. */
  sweepEveryMs?: number
}

/** The engine on a Temporal cluster. It is ready when this resolves, and works once `run` is called. */
export async function createTemporalEngine(options: TemporalEngineOptions): Promise<Engine> {
  const engine = new TemporalEngine(options)
  return Object.assign(engine, engine.operations)
}

class TemporalEngine implements Omit<Engine, keyof RunOperations> {
  readonly kind = 'temporal'
  readonly operations: RunOperations
  readonly #options: TemporalEngineOptions
  readonly #timers: Timers
  readonly #gates: RunGates
  readonly #builds: Builds
  readonly #cluster: Cluster
  readonly #pending: PendingTable
  readonly #followers: Followers
  readonly #messages: RunMessages
  readonly #inbox: Inbox
  readonly #lease: Lease
  readonly #submitter: Submitter
  readonly #stopping = new AbortController()
  #holding: AbortController | undefined
  #keeping: Promise<void> = Promise.resolve()
  #work: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | undefined
  #recovered = false
  #draining = false
  #lastBug: string | undefined

  constructor(options: TemporalEngineOptions) {
    this.#options = options
    const { store, clock, definitions, log, codecs = [] } = options
    this.#timers = createTimers(clock)
    this.#builds = new Builds(store, definitions, clock)
    this.#cluster = new Cluster(options)
    this.#gates = createRunGates({
      onAdmitted: (runId) => this.#pending.admitted(runId),
      cancel: (runId, reason) => void this.#cancelForGate(runId, reason),
    })
    const children = new ChildRows({ store, clock, onChild: (runId) => this.#followers.follow(runId) })
    this.#followers = new Followers({
      ...{ store, clock, log, cluster: this.#cluster },
      reader: new HistoryReader(codecs),
      onChild: (parent, child) => children.add(parent, child),
      memberOf: (buildId, workflow) => this.#builds.memberOf(buildId, workflow),
      onEnded: (runId) => {
        this.#gates.leave(runId)
        this.#pending.forget(runId)
      },
    })
    const parts = { store, clock, definitions, log, timers: this.#timers, gates: this.#gates }
    this.#pending = new PendingTable({
      ...parts,
      holds: () => this.#lease.isHeld,
      start: async (run) => {
        const build = await this.#builds.withMember(run.facts.workflow, run.facts.definition)
        const start = startOf(run, build.id, options.waitpointKeys[0], clock.nowMs())
        await this.#cluster.start(await this.#withView(start))
      },
      isStarted: (runId) => this.#cluster.knows(runId),
      onStarted: (runId, record) => this.#followers.follow(runId, record),
    })
    this.#messages = new RunMessages({ store, clock, cluster: this.#cluster, pending: this.#pending })
    this.#inbox = new Inbox({ store, clock, log, engine: 'temporal', obey: (one) => this.#obey(one) })
    this.#lease = this.#createLease()
    this.#submitter = createSubmitter({
      ...{ store, clock, definitions, gates: this.#gates, engine: 'temporal' },
      mustAnnounce: () => true,
      epoch: () => undefined,
      prepare: async () => undefined,
      refusal: async (run, hash) => {
        // What cannot be read now keeps nobody from being accepted: it is asked again before the run begins.
        const loaded = await definitions.load(hash).catch(() => undefined)
        return rejectionOf(this.#gates, run, loaded?.definition.concurrency)
      },
      onAccepted: async (accepted) => {
        await this.#pending.accepted(accepted)
        this.#inbox.filled()
      },
    })
    this.operations = createTemporalOperations({
      ...{ store, clock, definitions, log, codecs, cluster: this.#cluster, builds: this.#builds },
      ...{ keys: options.waitpointKeys, gates: this.#gates },
      mustAccept: () => this.#mustAccept(),
      onAccepted: () => this.#inbox.filled(),
      catchUp: (runId) => this.#followers.catchUpRun(runId, catchUpMs),
      reach: (message) => this.#reach(message),
    })
  }

  workflows() {
    return [...this.#options.definitions.startable.values()].map(({ entry, hash, version }) => ({
      name: entry.name,
      version,
      definition: hash,
      title: entry.title,
      description: entry.description,
      input_schema: { ...entry.inputSchema },
      steps: entry.steps.map((step) => ({ ...step })),
    }))
  }

  submit: Engine['submit'] = async (submission) => {
    this.#mustAccept()
    return this.#submitter.submit(submission)
  }

  retry: Engine['retry'] = async (jobId, next) => {
    this.#mustAccept()
    return this.#submitter.retry(jobId, next)
  }

  cancel: Engine['cancel'] = (runId, reason, principal) =>
    this.#reach({ type: 'cancel', runId, reason, actor: principal.id })

  signal: Engine['signal'] = async (runId, signal, payload, principal, signalId) => {
    if (signal.startsWith(reservedPrefix)) {
      const detail = `Names of signals that begin with ${reservedPrefix} are Kyros' own. Take another name.`
      throw problem('request_invalid', { detail })
    }
    const id = signalId === undefined ? {} : { signalId }
    try {
      await this.#reach({ type: 'signal', runId, signal, payload, actor: principal.id, ...id })
    } catch (error) {
      // It may have been the last that the run took: then it was acknowledged.
      if (signalId === undefined || !(await this.#messages.wasTaken(runId, signalId, error))) throw error
    }
  }

  why: Engine['why'] = async (runId) => {
    const record = await this.#record(runId)
    const engine = !this.#lease.isHeld ? 'elsewhere' : this.#recovered ? 'holds' : 'recovers'
    const { store, clock } = this.#options
    const outage = this.#options.outage?.()
    return explainRun({ store, clock, cluster: this.#cluster, gates: this.#gates, engine, outage }, record)
  }

  health(): ReturnType<Engine['health']> {
    const outage = this.#options.outage?.()
    const details = {
      holds_lease: this.#lease.isHeld,
      recovered: this.#recovered,
      active_runs: this.#followers.size + this.#pending.size,
      waiting_to_start: this.#pending.size,
      ...(outage === undefined ? {} : { cluster: outage.message }),
      ...(this.#lastBug === undefined ? {} : { last_bug: this.#lastBug }),
    }
    const isWell = outage === undefined && this.#lastBug === undefined && !this.#draining
    return { status: isWell ? 'healthy' : 'degraded', details }
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#keeping = this.#lease.keep(AbortSignal.any([signal, this.#stopping.signal]))
    await this.#keeping
    await this.#stop()
  }

  async drain(graceMs: number): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    await this.#pending.settled()
    // What the cluster knows by now is in the log when this resolves.
    if (this.#lease.isHeld) await this.#followers.catchUp(Math.max(graceMs, 1000))
    await this.#stop()
  }

  /** With what the cluster may see of it. */
  async #withView(execution: NewExecution): Promise<NewExecution> {
    const { store, searchAttributes: kinds = {}, encryptsErrors = true } = this.#options
    const { started } = execution
    if (started.live === undefined) return execution
    const record = Object.keys(kinds).length === 0 ? undefined : await store.runs.get(execution.runId)
    const search = record && searchOf(kinds, record)
    const live = {
      ...started.live,
      ...(search === undefined ? {} : { search }),
      ...(encryptsErrors ? {} : { isOpen: true }),
    }
    return { ...execution, search, started: { ...started, live } }
  }

  #mustAccept(): void {
    if (this.#options.whenUnavailable === 'queue') return
    const outage = this.#options.outage?.()
    if (outage !== undefined) throw outage
  }

  #createLease(): Lease {
    const { store, clock, log } = this.#options
    const onHeld = () => this.#onHeld()
    if (store.dialect === 'sqlite') return createTrivialLease(onHeld)
    const onLost = () => this.#onLost()
    const onError = (error: unknown) =>
      log('warn', `The engine's lease could not be renewed: ${textOf(error)}`)
    const holder = this.#options.holder ?? new LeaseHolder()
    return createStoreLease({
      ...{ store, clock, holder, onHeld, onLost, onError },
      ttlMs: this.#options.leaseTtlMs ?? 8000,
    })
  }

  #onHeld(): void {
    const holding = new AbortController()
    this.#holding = holding
    this.#work = this.#work
      .then(() => this.#hold(holding.signal))
      .catch((error: unknown) => {
        if (holding.signal.aborted) return
        this.#lastBug = textOf(error)
        this.#options.log('error', `A fault in the engine: ${textOf(error)}`)
      })
  }

  #onLost(): void {
    this.#options.log(
      'warn',
      'Another process reads the histories of runs now. This one goes on accepting work.',
    )
    this.#holding?.abort()
    this.#holding = undefined
    this.#recovered = false
    this.#work = this.#work
      .then(() => this.#pending.settled())
      .then(() => {
        this.#pending.reset()
        this.#gates.close()
      })
  }

  async #hold(signal: AbortSignal): Promise<void> {
    const inbox = this.#inbox.keep(signal)
    inbox.catch(() => {})
    this.#followers.begin(signal)
    await this.#patiently(() => this.#recover(signal), signal)
    this.#recovered = true
    this.#gates.open()
    await Promise.all([inbox, this.#sweep(signal)])
  }

  /** An outage of the store while the engine begins keeps no run from going on. */
  async #patiently(act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    for (let pauseMs = 250; !signal.aborted; pauseMs = Math.min(2 * pauseMs, 10_000)) {
      try {
        await act()
        return
      } catch (error) {
        log('warn', `Runs under way are taken up in ${pauseMs} ms: ${textOf(error)}`)
        await clock.sleep(pauseMs, signal).catch(() => {})
      }
    }
  }

  /** Runs that began keep their places; then all are taken up, oldest first. */
  async #recover(signal: AbortSignal): Promise<void> {
    const { store, definitions } = this.#options
    let after: string | undefined
    const ids: string[] = []
    while (!signal.aborted) {
      const open = await store.runs.unfinished(after, pageSize, 'temporal')
      for (const record of open) {
        ids.push(record.id)
        if (record.startedMs === null) continue
        const loaded = await definitions.load(record.definition)
        if (loaded?.definition.concurrency !== undefined) holdPlace(this.#gates, factsOf(record), loaded)
      }
      after = open.at(-1)?.id
      if (open.length < pageSize) break
    }
    for (const runId of ids) if (!signal.aborted) await this.#takeUp(runId)
  }

  async #takeUp(runId: string): Promise<void> {
    if (this.#followers.has(runId)) return
    const kind = await this.#pending.takeUp(runId)
    if (kind === 'started') this.#followers.follow(runId)
  }

  /** Whatever was missed is found here: a run that nobody follows, and a child whose row was made by somebody else. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const { store, clock, log, sweepEveryMs = 2000 } = this.#options
    while (!signal.aborted) {
      await clock.sleep(sweepEveryMs, signal).catch(() => {})
      try {
        let after: string | undefined
        while (!signal.aborted) {
          const ids = await store.runs.unfinishedIds(after, pageSize, 'temporal')
          for (const runId of ids) await this.#takeUp(runId)
          after = ids.at(-1)
          if (ids.length < pageSize) break
        }
      } catch (error) {
        if (!signal.aborted) log('warn', `Runs are looked for again: ${textOf(error)}`)
      }
    }
  }

  async #obey(one: Message): Promise<void> {
    if (one.message.type === 'accept') await this.#takeUp(one.message.runId)
    else {
      try {
        await this.#messages.obey(one)
      } catch (error) {
        // It ended, or became another, after the message was accepted: nobody is left to tell.
        if (!(error instanceof ProblemError) || error.status >= 500) throw error
      }
    }
  }

  async #cancelForGate(runId: string, reason: string): Promise<void> {
    try {
      await this.#reach({ type: 'cancel', runId, reason, actor: 'engine' })
    } catch (error) {
      this.#options.log('warn', `Run ${runId} could not be cancelled: ${textOf(error)}`)
    }
  }

  /** Durable when this resolves. @throws run_not_found, run_ended */
  async #reach(message: InboxMessage): Promise<void> {
    const { runId } = message
    const record = await this.#record(runId)
    if (isTerminal(record.status)) {
      const detail = `The run ${runId} is ${record.status}: nothing reaches it any more.`
      throw problem('run_ended', { detail })
    }
    const { store, clock } = this.#options
    // Always by way of the inbox: its number keeps a message from being taken twice, whatever fails on its way.
    const stored = await this.#messages.storable(message)
    try {
      await store.write({ kind: 'put_inbox', message: stored, timeMs: clock.nowMs() })
    } finally {
      this.#inbox.filled()
    }
    await this.#passedOn(runId)
  }

  /** Who asked for it finds it done, unless the cluster, or the process that passes it on, takes its time. */
  async #passedOn(runId: string): Promise<void> {
    if (!this.#lease.isHeld || this.#draining) return
    const { clock } = this.#options
    await isInTime(
      this.#inbox.caughtUp(runId).catch(() => {}),
      clock,
      passOnMs,
    )
  }

  async #record(runId: string): Promise<RunRecord> {
    const record = await this.#options.store.runs.get(runId)
    if (record === undefined) throw problem('run_not_found', { detail: `There is no run ${runId}.` })
    return record
  }

  #stop(): Promise<void> {
    this.#stopped ??= this.#stopOnce()
    return this.#stopped
  }

  async #stopOnce(): Promise<void> {
    this.#stopping.abort()
    this.#holding?.abort()
    await this.#keeping
    await this.#pending.settled()
    this.#pending.close()
    await this.#followers.stopped()
    await this.#work
    this.#timers.stop()
    await this.#lease.release().catch(() => {})
  }
}

const pageSize = 200
const passOnMs = 2_000
const reservedPrefix = 'kyros.'
const catchUpMs = 5_000
