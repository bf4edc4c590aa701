import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createEmbeddedEngine } from '@kyros/engine/embedded/embedded-engine'
import type { Engine } from '@kyros/engine/engine'
import { createNewId } from '@kyros/kernel/new-id'
import { openStore } from '@kyros/store/open-store'
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

const workflows: readonly CatalogueEntry[] = [
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

/** Everything that the product has switched on is on: SQLite FULL (or PostgreSQL), all tables and projections. */
export async function startEngine(options: EngineOptions, onStep: OnStep = () => {}): Promise<RunningEngine> {
  const { dir, databaseUrl, clockAheadMs = 0 } = options
  const opened = await openStore({
    dataDir: join(dir, 'data'),
    ...(databaseUrl !== undefined && { databaseUrl }),
  })
  const watch = new RunWatch(opened)
  const steps = { onStep }
  const addOne = (step: string) => async (input: number, context: { runId: string }) => {
    steps.onStep(step, context.runId)
    return input + 1
  }
  const implementations = { First: addOne('First'), Second: addOne('Second'), Third: addOne('Third') }
  const engine = await createEmbeddedEngine({
    store: watch.store,
    workflows,
    steps: Object.fromEntries(workflows.map(({ name }) => [name, implementations])),
    clock: {
      nowMs: () => Date.now() + clockAheadMs,
      sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
    },
    workspaceDir: join(dir, 'workspaces'),
    cacheDir: join(dir, 'cache'),
    log: (level, message) => void (level === 'error' && process.stderr.write(`kyros: ${message}\n`)),
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
