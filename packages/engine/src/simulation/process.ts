import { createEmbeddedEngine } from '../embedded/embedded-engine.ts'
import type { Engine } from '../engine.ts'
import { type Catalogue, stepNames } from './catalogue.ts'
import type { Plant } from './plants.ts'
import { inLife, type Life, type Scheduler } from './scheduler.ts'
import { createSimulatedClock } from './simulated-clock.ts'
import { createSimulatedStep, type StepWorld } from './simulated-steps.ts'
import { createSimulatedStore, type SimulatedStoreOptions } from './simulated-store.ts'

/** A process that runs the engine, from its start to its crash or stop. */
export type Process = {
  readonly life: Life
  /** Undefined until it serves. */
  readonly engine: Engine | undefined
  /** Resolves when it is over. */
  readonly ended: Promise<void>
  /** Drains, stops and ends; a process that does not manage is reported by who waits for `isOver`. */
  stop(graceMs: number): void
  /** Ends without a word: nothing that belongs to it happens any more. */
  kill(where: string): void
}

export type ProcessOptions = {
  scheduler: Scheduler
  life: Life
  store: Omit<SimulatedStoreOptions, 'scheduler' | 'life' | 'random' | 'crash'>
  steps: StepWorld
  catalogue: Catalogue
  /** Drawn anew for each process. */
  maxAttempts: number
  evictAfterMs: number
  plant?: Plant | undefined
  /** The process is over: it crashed, stopped, or could not start. */
  onOver: (how: string) => void
  onBug: (message: string) => void
}

/** Starts a process. What the store refuses at the start ends it, as it would end a server. */
export function startProcess(options: ProcessOptions): Process {
  const { scheduler, life, onOver } = options
  const stopping = new AbortController()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let engine: Engine | undefined
  const over = (how: string) => {
    if (life.isOver) return
    life.isOver = true
    scheduler.note(`${life.name} is over: ${how}`)
    end()
    onOver(how)
  }
  const live = async () => {
    engine = await createEngine(options, (where) => over(`crash ${where}`))
    scheduler.note(`${life.name} serves`)
    await engine.run(stopping.signal)
    over('stop')
  }
  inLife(life, () => {
    live().catch((error: unknown) => over(`fault ${error instanceof Error ? error.message : String(error)}`))
  })
  return {
    life,
    ended,
    get engine() {
      return life.isOver ? undefined : engine
    },
    stop: (graceMs) =>
      inLife(life, () => {
        const drained = engine?.drain(graceMs) ?? Promise.resolve()
        drained
          .then(() => stopping.abort())
          .catch((error: unknown) => options.onBug(`drain: ${String(error)}`))
      }),
    kill: (where) => over(`crash ${where}`),
  }
}

function createEngine(options: ProcessOptions, crash: (where: string) => void): Promise<Engine> {
  const { scheduler, life, catalogue, onBug } = options
  const random = scheduler.random.fork(life.name)
  const store = createSimulatedStore({
    ...options.store,
    scheduler,
    life,
    random: random.fork('store'),
    crash,
  })
  const step =
    options.plant?.step?.(createSimulatedStep(options.steps, life)) ??
    createSimulatedStep(options.steps, life)
  const steps = Object.fromEntries(stepNames.map((name) => [name, step]))
  return createEmbeddedEngine({
    store: options.plant?.store?.(store, random.fork('plant')) ?? store,
    workflows: catalogue.workflows,
    steps: Object.fromEntries(catalogue.workflows.map(({ name }) => [name, steps])),
    clock: createSimulatedClock(scheduler, life, random.fork('clock')),
    workspaceDir: '/nowhere',
    cacheDir: catalogue.cacheDir,
    log: (level, message) => {
      scheduler.note(`${life.name} logs ${level}: ${message.split('\n')[0]}`)
      if (level === 'error' && message.startsWith('A fault in the engine')) onBug(message)
    },
    maxAttempts: options.maxAttempts,
    evictAfterMs: options.evictAfterMs,
    abortGraceMs: 200,
    leaseTtlMs: 3000,
    waitpointKeys: [{ id: 'suite-01', key: new Uint8Array(32).fill(7) }],
  })
}
