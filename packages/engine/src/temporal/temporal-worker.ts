import { fileURLToPath } from 'node:url'
import type { Store } from '@kyros/store/store'
import type { DataConverter } from '@temporalio/common'
import type { NativeConnection, Worker } from '@temporalio/worker'
import type { StepFunction } from '../embedded/attempt.ts'
import type { StepsByWorkflow } from '../embedded/embedded-engine.ts'
import type { EngineLog } from '../embedded/engine-parts.ts'
import { RunLog } from '../embedded/log-buffer.ts'
import { createSlots, type SlotLimits, usualInline } from '../embedded/slots.ts'
import { createTimers, type EngineClock, type Timers } from '../embedded/timers.ts'
import { createWorkspaces } from '../embedded/workspaces.ts'
import { messageOf, textOf } from '../error-text.ts'
import { adapterHash } from './adapter-hash.ts'
import { codeOf } from './build-code.ts'
import { countRunsOf } from './build-runs.ts'
import { type Build, definitionsOf, deploymentName, readBuild } from './builds.ts'
import { bundleWorkflows } from './bundle-workflows.ts'
import { type MetricReading, workerReadings } from './cluster-metrics.ts'
import { failureConverterPath } from './data-converter.ts'
import { loadSdk } from './load-sdk.ts'
import { NeededBuilds } from './needed-builds.ts'
import { RunHints } from './run-hints.ts'
import { StepActivities } from './step-activity.ts'
import { traceAttempts } from './trace-headers.ts'
import type { RunLogSinks } from './workflow-adapter.ts'

export type TemporalWorkerOptions = {
  store: Store
  /** A connection of the worker's own; whoever opened it closes it after `drain`. */
  connect: () => Promise<NativeConnection>
  namespace: string
  taskQueue: string
  steps: StepsByWorkflow
  clock: EngineClock
  workspaceDir: string
  cacheDir: string
  log: EngineLog
  dataConverter?: DataConverter
  /** Attempts at once. Default: 256. */
  maxAttempts?: number
  limits?: SlotLimits
  /** Turns of runs at once. Default: that of Temporal's SDK. */
  maxTurns?: number
  abortGraceMs?: number
  /** How often an attempt gives a sign of life. Default: 1 second. */
  beatEveryMs?: number
  /** How long a turn of a run waits for the worker that has the run in memory. Default: 2 seconds. */
  stickyMs?: number
  /** How often to look which builds are needed. Default: 1 second. */
  lookEveryMs?: number
}

/** Does the steps of runs on a cluster, and executes their definitions: every build that a run still needs. */
export type TemporalWorker = {
  run(signal: AbortSignal): Promise<void>
  /** Lets attempts end for at most `graceMs`, then cuts them off. */
  drain(graceMs: number): Promise<void>
  /** Resolves once this process executes the build; false when that cannot be. */
  serves(buildId: string): Promise<boolean>
  health(): { builds: string[]; running_attempts: number; last_error?: string }
  /** How its slots and its memory are used now. */
  metrics(): MetricReading[]
}

export function createTemporalWorker(options: TemporalWorkerOptions): TemporalWorker {
  return new BuildWorkers(options)
}

type LogLine = Parameters<RunLogSinks['kyros']['log']>
type Serving = { worker: Worker; ended: Promise<void> }

const forceMs = 2_000
const usualAttempts = 256
/** Of Temporal's SDK. */
const usualTurns = 40

class BuildWorkers implements TemporalWorker {
  readonly #options: TemporalWorkerOptions
  readonly #timers: Timers
  readonly #activities: StepActivities
  readonly #serving = new Map<string, Promise<Serving | undefined>>()
  /** Builds that `serves` waits for. */
  readonly #asked = new Set<string>()
  /** Builds that nobody needed at the last look. */
  readonly #idle = new Set<string>()
  /** Workers that were let go of, until what they still do has ended. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #left = new WeakSet<Worker>()
  /** Those that run, also the ones that were let go of. */
  readonly #workers = new Set<Worker>()
  readonly #needed: NeededBuilds
  /** Why a build is not served, as it was said last. */
  readonly #told = new Map<string, string>()
  readonly #logs = new Map<string, RunLog>()
  readonly #hints: RunHints
  #connection: Promise<NativeConnection> | undefined
  #stopping = false
  #stopped: Promise<void> | undefined
  #lastError: string | undefined

  constructor(options: TemporalWorkerOptions) {
    this.#options = options
    const { store, clock, steps, workspaceDir, log, maxAttempts, limits } = options
    this.#timers = createTimers(clock)
    this.#needed = new NeededBuilds({ store, clock, countRuns: (buildId) => this.#countRuns(buildId) })
    this.#hints = new RunHints(store, clock)
    this.#activities = new StepActivities({
      ...{ store, clock, log },
      timers: this.#timers,
      slots: createSlots(maxAttempts, () => clock.nowMs(), limits),
      workspaces: createWorkspaces(workspaceDir),
      abortGraceMs: options.abortGraceMs ?? 5000,
      beatEveryMs: options.beatEveryMs ?? 1000,
      implementation: (workflow, step) => implementationIn(steps, workflow, step),
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, lookEveryMs = 1000 } = this.#options
    while (!signal.aborted && !this.#stopping) {
      await this.#look().catch((error: unknown) => {
        this.#lastError = textOf(error)
        log('warn', `The worker looks for builds again: ${textOf(error)}`)
      })
      await clock.sleep(lookEveryMs, signal).catch(() => {})
    }
    await this.#stop(0)
  }

  drain(graceMs: number): Promise<void> {
    return this.#stop(graceMs)
  }

  async serves(buildId: string): Promise<boolean> {
    const build = await readBuild(this.#options.store, buildId)
    if (build === undefined || this.#stopping) return false
    this.#asked.add(buildId)
    try {
      return (await this.#serve(build)) !== undefined
    } finally {
      this.#asked.delete(buildId)
      this.#idle.delete(buildId)
    }
  }

  health(): ReturnType<TemporalWorker['health']> {
    const lastError = this.#lastError === undefined ? {} : { last_error: this.#lastError }
    return { builds: [...this.#serving.keys()], running_attempts: this.#activities.running, ...lastError }
  }

  metrics(): MetricReading[] {
    const { maxAttempts = usualAttempts, maxTurns = usualTurns, limits } = this.#options
    const most = { turns: maxTurns, attempts: maxAttempts, inline: limits?.inline ?? usualInline }
    return workerReadings([...this.#workers], most)
  }

  /** Begins to serve the newest build and those that runs under way may need; lets go of others. */
  async #look(): Promise<void> {
    const needed = await this.#needed.read()
    let isGood = true
    for (const build of needed) if ((await this.#serve(build)) === undefined) isGood = false
    this.#letGo(new Set(needed.map(({ id }) => id)))
    if (isGood) this.#lastError = undefined
  }

  async #countRuns(buildId: string): Promise<number> {
    this.#connection ??= this.#options.connect()
    return countRunsOf(await this.#connection, this.#options.namespace, buildId)
  }

  /** A run may begin between two reads of a look, so one look alone does not say that a build is not needed. */
  #letGo(needed: ReadonlySet<string>): void {
    for (const [buildId, starting] of this.#serving) {
      if (needed.has(buildId) || this.#asked.has(buildId)) this.#idle.delete(buildId)
      else if (this.#idle.has(buildId)) this.#leave(buildId, starting)
      else this.#idle.add(buildId)
    }
  }

  #leave(buildId: string, starting: Promise<Serving | undefined>): void {
    this.#idle.delete(buildId)
    this.#serving.delete(buildId)
    const leaving: Promise<void> = starting
      .then(async (serving) => {
        if (serving === undefined) return
        this.#left.add(serving.worker)
        if (serving.worker.getState() === 'RUNNING') serving.worker.shutdown()
        await serving.ended
      })
      .finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }

  #serve(build: Build): Promise<Serving | undefined> {
    const known = this.#serving.get(build.id)
    if (known !== undefined) return known
    const starting: Promise<Serving | undefined> = this.#start(build).catch((error: unknown) => {
      this.#notServed(build, messageOf(error))
      if (this.#serving.get(build.id) === starting) this.#serving.delete(build.id)
      return undefined
    })
    this.#serving.set(build.id, starting)
    return starting
  }

  /** It is tried at every look, and said once. */
  #notServed({ id }: Build, why: string): void {
    this.#lastError = `The worker cannot serve build ${id.slice(0, 12)}: ${why}`
    if (!this.#stopping && this.#told.get(id) !== why) this.#options.log('error', this.#lastError)
    this.#told.set(id, why)
  }

  async #codeOf(build: Build): Promise<string> {
    const { store, cacheDir, clock } = this.#options
    const bundle = async () =>
      bundleWorkflows(
        await definitionsOf(store, build),
        { interceptors: [interceptorsPath], failureConverter: failureConverterPath },
        { dir: cacheDir, name: `${build.id}.${(await adapterHash()).slice(0, 12)}` },
      )
    const found = await codeOf(store, build, { bundle, nowMs: () => clock.nowMs() })
    if (found.kind === 'missing') throw new Error(found.why)
    return found.code
  }

  async #start(build: Build): Promise<Serving | undefined> {
    if (this.#stopping) return undefined
    const { namespace, taskQueue, dataConverter, limits } = this.#options
    const { maxAttempts = 256, maxTurns } = this.#options
    const code = await this.#codeOf(build)
    const { Worker } = await loadSdk()
    const beatEveryMs = this.#options.beatEveryMs ?? 1000
    this.#connection ??= this.#options.connect()
    const worker = await Worker.create({
      connection: await this.#connection,
      ...{ namespace, taskQueue },
      workflowBundle: { code },
      activities: { default: this.#activities.run },
      sinks: this.#sinks(),
      interceptors: { activity: [traceAttempts] },
      workerDeploymentOptions: {
        useWorkerVersioning: true,
        version: { deploymentName, buildId: build.id },
        defaultVersioningBehavior: 'PINNED',
      },
      maxConcurrentActivityTaskExecutions: maxAttempts,
      // An inline step that waits for one would keep its run's turn open: the slots say how many there are.
      maxConcurrentLocalActivityExecutions: limits?.inline ?? usualInline,
      ...(maxTurns === undefined ? {} : { maxConcurrentWorkflowTaskExecutions: maxTurns }),
      maxHeartbeatThrottleInterval: beatEveryMs,
      defaultHeartbeatThrottleInterval: beatEveryMs,
      // A worker that died keeps what was meant for it alone only so long from the others.
      stickyQueueScheduleToStartTimeout: this.#options.stickyMs ?? 2000,
      // What is under way is stopped by `drain`, with the grace that it was given.
      shutdownGraceTime: '1 hour',
      shutdownForceTime: '1 hour',
      ...(dataConverter === undefined ? {} : { dataConverter }),
    })
    this.#workers.add(worker)
    const running = worker.run().finally(() => this.#workers.delete(worker))
    if (this.#stopping) {
      worker.shutdown()
      await running
      return undefined
    }
    const ended = running.catch((error: unknown) => {
      this.#lastError = textOf(error)
      if (!this.#left.has(worker)) this.#serving.delete(build.id)
      if (!this.#stopping) this.#options.log('error', `The worker stopped: ${textOf(error)}`)
    })
    return { worker, ended }
  }

  #sinks() {
    return {
      kyros: {
        log: {
          // The worker waits for it before it tells the cluster of the task: who sees the end finds the lines.
          fn: async ({ workflowId }: { workflowId: string }, ...[level, message, timeMs]: LogLine) => {
            const log = this.#logOf(workflowId)
            log.add({ timeMs, level, step: null, attempt: null, message })
            // Lines of one task are one write.
            await Promise.resolve()
            await log.flush()
          },
          callDuringReplay: false,
        },
        ended: {
          fn: ({ workflowId }: { workflowId: string }) => this.#hints.add(workflowId),
          callDuringReplay: false,
        },
      },
    }
  }

  #logOf(runId: string): RunLog {
    const known = this.#logs.get(runId)
    if (known !== undefined) return known
    const { store, clock, log } = this.#options
    const made = new RunLog({ store, clock, log, timers: this.#timers }, runId)
    this.#logs.set(runId, made)
    if (this.#logs.size > maxLogs) this.#forgetOldestLog()
    return made
  }

  #forgetOldestLog(): void {
    for (const [runId, log] of this.#logs) {
      this.#logs.delete(runId)
      void log.flush()
      return
    }
  }

  #stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stopOnce(graceMs)
    return this.#stopped
  }

  async #stopOnce(graceMs: number): Promise<void> {
    this.#stopping = true
    const { clock } = this.#options
    const all = (await Promise.all(this.#serving.values())).filter((one) => one !== undefined)
    for (const { worker } of all) if (worker.getState() === 'RUNNING') worker.shutdown()
    this.#activities.beginNoMore('The worker stops.')
    const untilMs = clock.nowMs() + graceMs
    while (this.#activities.running > 0 && clock.nowMs() < untilMs) await clock.sleep(20)
    this.#activities.cutAll('The worker stops.')
    const ended = Promise.all([...all.map((one) => one.ended), ...this.#leaving]).then(() => true)
    const late = clock.sleep((this.#options.abortGraceMs ?? 5000) + forceMs).then(() => false)
    if (!(await Promise.race([ended, late])))
      this.#options.log('warn', 'The worker stops before all of its attempts have ended.')
    await Promise.all([...this.#logs.values()].map((log) => log.flush()))
    this.#timers.stop()
  }
}

const maxLogs = 1000
const interceptorsPath = fileURLToPath(import.meta.resolve('./run-interceptors.ts'))

function implementationIn(steps: StepsByWorkflow, workflow: string, step: string): StepFunction | undefined {
  const ofWorkflow = Object.hasOwn(steps, workflow) ? steps[workflow] : undefined
  return ofWorkflow !== undefined && Object.hasOwn(ofWorkflow, step) ? ofWorkflow[step] : undefined
}
