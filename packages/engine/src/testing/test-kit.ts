import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from '@kyros/contract/json'
import { uuidv7 } from '@kyros/contract/uuidv7'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { type AuthorWorkflow, loadAuthorWorkflows } from '../definitions/author-workflows.ts'
import { type Definitions, prepareDefinitions } from '../definitions/definitions.ts'
import { DefinitionError } from '../definitions/fault.ts'
import type { StepFunction } from '../embedded/attempt.ts'
import { createEmbeddedEngine } from '../embedded/embedded-engine.ts'
import type { Engine } from '../engine.ts'
import { BusyWatch } from './busy-watch.ts'
import { TestClock } from './test-clock.ts'
import { TestRun } from './test-run.ts'

/** Functions in the place of steps, by the names of the steps; the input of each is what the definition gives it. */
export type FakeSteps = { readonly [step: string]: (input: never, context: never) => unknown }

export type TestKitOptions = {
  /** The time when the test begins, in milliseconds since 1970. Default: 1 January 2030, so that tests repeat. */
  startMs?: number
}

export type StartOptions = {
  /** In the place of the steps of these names; the others are the real ones from the file beside the definition. */
  steps?: FakeSteps
  /** How often a failing step is tried again when its definition does not say. Default: 2. */
  maxRetries?: number
}

const testerId = 'user:test'
const stepGraceMs = 1000
export const tester = { id: testerId, role: 'admin' } as const

/**
 * A real engine on a store in memory, with a clock of its own: what a workflow does here it does on a server. Time
 * passes only while a test waits for a result, or is told to pass, and then as fast as the machine can.
 */
export class TestKit implements AsyncDisposable {
  readonly #parts: Parts
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  readonly #entries = new Map<string, CatalogueEntry>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#running = parts.engine.run(this.#stopping.signal)
  }

  static async open(options: TestKitOptions = {}): Promise<TestKit> {
    return new TestKit(await openParts(options.startMs ?? Date.UTC(2030, 0, 1)))
  }

  /**
   * Starts a workflow from the file of its definition, checked and bundled as a server does it.
   * @throws DefinitionError when the file cannot be used; workflow_input_invalid
   */
  async start(definition: URL | string, input: Json, options: StartOptions = {}): Promise<TestRun> {
    const { engine, clock, steps, projectId } = this.#parts
    const name = await this.#load(definition, options.steps ?? {})
    const [jobId, runId] = [this.#newId(), this.#newId()]
    // Before the engine knows of the run, whose first step may begin at once.
    steps.byRun.set(runId, options.steps ?? {})
    await engine.submit({
      jobId,
      runId,
      title: name,
      task: null,
      agentId: null,
      workflow: name,
      input,
      priority: 'medium',
      projectId,
      metadata: {},
      maxRetries: options.maxRetries ?? 2,
      timeoutSeconds: longestRunSeconds,
      principal: tester,
      timeMs: clock.nowMs(),
    })
    const run = new TestRun(runId, this.#parts, this)
    await this.settled()
    return run
  }

  /** Makes a workflow known without starting it: for the children of others. @throws DefinitionError */
  async load(definition: URL | string, options: Pick<StartOptions, 'steps'> = {}): Promise<void> {
    const { steps } = this.#parts
    const name = await this.#load(definition, options.steps ?? {})
    steps.byWorkflowName.set(name, options.steps ?? {})
  }

  /** Milliseconds since 1970, by the clock of the test. */
  nowMs(): number {
    return this.#parts.clock.nowMs()
  }

  /** Lets time pass, also while steps run, and does everything that falls due on the way. */
  async advance(durationMs: number): Promise<void> {
    const { clock } = this.#parts
    const untilMs = clock.nowMs() + durationMs
    await this.settled(stepGraceMs)
    for (let due = clock.nextDueMs; due !== undefined && due <= untilMs; due = clock.nextDueMs) {
      clock.set(due)
      await this.settled(0)
    }
    clock.set(untilMs)
    await this.settled(stepGraceMs)
  }

  /**
   * Resolves when everything has gone as far as it can without time and without messages; a step that takes longer than
   * so many milliseconds of real time is not waited for.
   */
  async settled(graceMs = stepGraceMs): Promise<void> {
    const { busy, clock } = this.#parts
    await busy.quiet(graceMs)
    for (let due = clock.nextDueMs; due !== undefined && due <= clock.nowMs(); due = clock.nextDueMs) {
      clock.set(due)
      await busy.quiet(graceMs)
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    // A step that does not end is given up after its grace, which must pass.
    await this.#parts.clock.release(this.#running)
    await this.#parts.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #newId(): string {
    return uuidv7(this.#parts.clock.nowMs(), randomBytes(10))
  }

  /** Makes the newest state of a file startable, beside what was started before. */
  async #load(definition: URL | string, fakes: FakeSteps): Promise<string> {
    const { definitions, steps, cacheDir } = this.#parts
    const file = resolve(definition instanceof URL ? fileURLToPath(definition) : definition)
    const found = await loadFile(file, cacheDir, Object.keys(fakes))
    this.#entries.set(found.entry.name, found.entry)
    steps.use(found.entry.name, found.steps, Object.keys(fakes))
    await definitions.replace([...this.#entries.values()])
    // Now, so that no run waits for a file to be read.
    await definitions.load(definitions.startable.get(found.entry.name)?.hash ?? '')
    return found.entry.name
  }
}

// A hundred years, as good as never: tests skip years.
const longestRunSeconds = 3_153_600_000

type Parts = {
  engine: Engine
  store: Store
  clock: TestClock
  busy: BusyWatch
  definitions: Definitions
  steps: KitSteps
  projectId: string
  cacheDir: string
  close(): Promise<void>
}

export type KitParts = Parts

async function openParts(startMs: number): Promise<Parts> {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-test-kit-'))
  const cacheDir = join(dir, 'cache')
  const clock = new TestClock(startMs)
  const busy = new BusyWatch()
  const opened = await openStore({ dataDir: ':memory:' })
  const store = busy.watchStore(opened)
  const projectId = uuidv7(startMs, randomBytes(10))
  const project = { name: 'test', description: '', projectType: 'general' }
  await store.write({ kind: 'create_project', id: projectId, ...project, timeMs: startMs, actor: testerId })
  const definitions = await prepareDefinitions({ store, workflows: [], cacheDir, nowMs: () => clock.nowMs() })
  const steps = new KitSteps(busy)
  const engine = await createEmbeddedEngine({
    store,
    workflows: [],
    definitions,
    steps: steps.byWorkflow,
    clock,
    workspaceDir: join(dir, 'workspaces'),
    cacheDir,
    log: () => {},
    abortGraceMs: 1000,
    // There is nobody else whose runs could be forgotten.
    sweepEveryMs: 2 * longestRunSeconds * 1000,
  })
  const close = async () => {
    await opened.close()
    await rm(dir, { recursive: true, force: true })
  }
  return { engine, store, clock, busy, definitions, steps, projectId, cacheDir, close }
}

async function loadFile(file: string, cacheDir: string, fakes: readonly string[]): Promise<AuthorWorkflow> {
  const loaded = await loadAuthorWorkflows({
    dir: dirname(file),
    cacheDir,
    taken: new Set(),
    only: file,
    fakes,
  })
  const [found] = loaded.workflows
  if (found !== undefined) return found
  throw new DefinitionError(file, loaded.faults)
}

/** The steps of every workflow of a kit: a run's fakes first, then the real ones. */
class KitSteps {
  readonly byWorkflow: { [workflow: string]: { [step: string]: StepFunction } } = {}
  readonly byRun = new Map<string, FakeSteps>()
  /** For runs that the test did not start itself. */
  readonly byWorkflowName = new Map<string, FakeSteps>()
  readonly #busy: BusyWatch

  constructor(busy: BusyWatch) {
    this.#busy = busy
  }

  use(workflow: string, real: { readonly [step: string]: StepFunction }, faked: readonly string[]): void {
    const steps = { ...this.byWorkflow[workflow] }
    for (const name of new Set([...Object.keys(real), ...faked])) {
      steps[name] = (input, context) =>
        this.#busy.duringStep(context.signal, async () => {
          const fakes = this.byRun.get(context.runId) ?? this.byWorkflowName.get(workflow)
          const fake = fakes?.[name]
          if (fake === undefined && real[name] === undefined) throw new Error(`There is no step ${name}.`)
          // Border cast: the definition's types tie a step's input to whatever stands in its place.
          return fake === undefined ? real[name]?.(input, context) : fake(input, context as never)
        })
    }
    this.byWorkflow[workflow] = steps
  }
}
