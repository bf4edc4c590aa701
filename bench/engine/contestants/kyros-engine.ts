import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createEmbeddedEngine } from '@kyros/engine/embedded/embedded-engine'
import type { Engine } from '@kyros/engine/engine'
import { createNewId } from '@kyros/kernel/new-id'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { RunWatch } from './run-watch.ts'

export type EngineOptions = {
  dir: string
  /** PostgreSQL instead of SQLite in `dir`. */
  databaseUrl?: string
  /** Added to the clock, so that what sleeps is due. */
  clockAheadMs?: number
}

const entry = new URL('../definitions.ts', import.meta.url)

export const workflows: readonly CatalogueEntry[] = [
  {
    ...described('three_steps'),
    entry: new URL('../workflows/three-steps.workflow.ts', import.meta.url),
  },
  ...['chain', 'empty', 'sleeper'].map((name) => ({ ...described(name), entry, exportName: name })),
]

function described(name: string) {
  const words = { version: '1.0.0', title: name, description: name }
  return { name, ...words, inputSchema: { type: 'number' }, steps: [] }
}

type OnStep = (step: string, runId: string) => void

/** The steps of every workflow of the bench. */
export function implementSteps(onStep: OnStep = () => {}) {
  const addOne = (step: string) => async (input: number, context: { runId: string }) => {
    onStep(step, context.runId)
    return input + 1
  }
  const implementations = { First: addOne('First'), Second: addOne('Second'), Third: addOne('Third') }
  return Object.fromEntries(workflows.map(({ name }) => [name, implementations]))
}

export const sayErrors = (level: string, message: string) =>
  void (level === 'error' && process.stderr.write(`kyros: ${message}\n`))

export const createClock = (aheadMs = 0) => ({
  nowMs: () => Date.now() + aheadMs,
  sleep: (ms: number, signal?: AbortSignal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
})

type EngineParts = {
  store: Store
  clock: ReturnType<typeof createClock>
  onStep: OnStep
  cacheDir: string
  workspaceDir: string
  log: typeof sayErrors
}

/** The store, the engine on it, and what the measurements need to know of its steps. */
export type RunningEngine = {
  engine: Engine
  watch: RunWatch
  /** Submits a run and resolves when it has durably come to `moment` (or, without one, when it is accepted). */
  run(workflow: string, input: number, moment?: 'run.waiting' | 'end'): Promise<void>
  /** Called at the start of every attempt of a step. */
  set onStep(called: OnStep)
  stop(): Promise<void>
}

function createEmbedded({ onStep, ...parts }: EngineParts): Promise<Engine> {
  return createEmbeddedEngine({ ...parts, workflows, steps: implementSteps(onStep) })
}

/** Everything that the product has switched on is on: SQLite FULL (or PostgreSQL), all tables and projections. */
export async function startEngine(
  options: EngineOptions,
  onStep: OnStep = () => {},
  createEngine: (parts: EngineParts) => Promise<Engine> = createEmbedded,
): Promise<RunningEngine> {
  const { dir, databaseUrl, clockAheadMs = 0 } = options
  const opened = await openStore({
    dataDir: join(dir, 'data'),
    ...(databaseUrl !== undefined && { databaseUrl }),
  })
  const watch = new RunWatch(opened)
  const steps = { onStep }
  const engine = await createEngine({
    store: watch.store,
    clock: createClock(clockAheadMs),
    onStep: (step, runId) => steps.onStep(step, runId),
    workspaceDir: join(dir, 'workspaces'),
    cacheDir: join(dir, 'cache'),
    log: sayErrors,
  })
  const stopping = new AbortController()
  const working = engine.run(stopping.signal)
  const newId = createNewId({ nowMs: () => Date.now() })
  const projectId = newId()
  const project = { name: `bench-${projectId}`, description: '', projectType: 'general' }
  const made = { id: projectId, ...project, timeMs: Date.now(), actor: 'user:bench' }
  await watch.store.write({ kind: 'create_project', ...made })
  return {
    engine,
    watch,
    set onStep(called: OnStep) {
      steps.onStep = called
    },
    run: async (workflow, input, moment) => {
      const runId = newId()
      const reached = moment === undefined ? undefined : watch.next(runId, moment)
      await engine.submit({
        jobId: newId(),
        runId,
        title: 'measured',
        task: null,
        agentId: null,
        workflow,
        input,
        priority: 'medium',
        projectId,
        metadata: {},
        maxRetries: 0,
        timeoutSeconds: 7 * 24 * 60 * 60,
        principal: { id: 'user:bench', role: 'admin' },
        timeMs: Date.now(),
      })
      await reached
    },
    stop: async () => {
      stopping.abort()
      await working
      await opened.close()
    },
  }
}
