import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import type { Engine } from '../engine.ts'
import { testWorkflows } from '../fixtures/catalogue.ts'
import { replayFinished } from '../suite/replay-finished.ts'
import type { EngineRig, SuiteOptions, SuiteSteps } from '../suite/rig.ts'
import { createEmbeddedEngine, type EmbeddedEngineOptions, type StepsByWorkflow } from './embedded-engine.ts'
import type { EngineClock } from './timers.ts'

/** The machine's clock; the kernel's own is above this package. */
export const testClock: EngineClock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
}

// One cache for all tests: bundling is not what they are about.
const cacheDir = join(tmpdir(), 'kyros-engine-test-cache')

export const newId = () => uuidv7(Date.now(), randomBytes(10))

/** Every workflow gets the same steps. */
export function stepsFor(workflows: readonly CatalogueEntry[], steps: SuiteSteps): StepsByWorkflow {
  return Object.fromEntries(workflows.map((workflow) => [workflow.name, steps]))
}

export type RigOptions = SuiteOptions & {
  store: Store
  change?: Partial<EmbeddedEngineOptions>
  /** What was logged goes here too. */
  onLog?: (level: string, message: string) => void
}

/** An embedded engine that runs, on a store that the caller opened and the rig closes. */
export async function createEmbeddedRig(options: RigOptions): Promise<EngineRig & { dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-engine-'))
  const projectId = await createProject(options.store)
  let current = await startEngine(options, dir)
  return {
    store: options.store,
    projectId,
    newId,
    dir,
    get engine() {
      return current.engine
    },
    restart: async (change) => {
      await current.stop()
      current = await startEngine({ ...options, ...change }, dir)
    },
    stop: async () => {
      await current.engine.drain(0)
      await current.stop()
      await replayFinished(options.store, cacheDir, projectId).finally(() => options.store.close())
    },
  }
}

export async function createProject(store: Store): Promise<string> {
  const id = newId()
  const project = { name: `suite-${id}`, description: '', projectType: 'general' }
  await store.write({ kind: 'create_project', id, ...project, timeMs: Date.now(), actor: 'user:suite' })
  return id
}

async function startEngine(
  options: RigOptions,
  dir: string,
): Promise<{ engine: Engine; stop: () => Promise<void> }> {
  const workflows = options.workflows ?? testWorkflows
  const engine = await createEmbeddedEngine({
    store: options.store,
    workflows,
    steps: stepsFor(workflows, options.steps),
    clock: testClock,
    workspaceDir: join(dir, 'workspaces'),
    cacheDir,
    waitpointKeys: [{ id: 'suite-01', key: new Uint8Array(32).fill(7) }],
    log: options.onLog ?? (() => {}),
    abortGraceMs: 50,
    leaseTtlMs: 1500,
    sweepEveryMs: 200,
    ...(options.maxAttempts === undefined ? {} : { maxAttempts: options.maxAttempts }),
    ...options.change,
  })
  const stopping = new AbortController()
  const running = engine.run(stopping.signal)
  return {
    engine,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
