import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { Callers } from './callers.ts'
import { type Catalogue, withWorkflows } from './catalogue.ts'
import { checkWorld } from './check-world.ts'
import type { Violation } from './model.ts'
import type { Plant } from './plants.ts'
import { createRandom, type Random } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { Troubles } from './troubles.ts'
import { chooseWorkflows, liveThrough } from './workload.ts'
import { drain, enterWorld } from './world-globals.ts'
import { WorldRecord } from './world-record.ts'

export type Round = {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** The same seed gives the same number, or the simulation is not deterministic. */
  readonly fingerprint: number
  readonly happenings: number
  readonly runs: number
  /** Simulated time. */
  readonly lastedMs: number
}

export type RoundOptions = {
  catalogue: Catalogue
  onTrace?: (line: string) => void
  plant?: Plant
  /** Called after the end of the world, while its store is open. */
  onEnd?: (store: Store) => Promise<void>
}

const startMs = Date.parse('2030-01-01T00:00:00Z')
const longestCalmMs = 30 * 60_000

/**
 * Lives through one world: a few runs, callers, processes that crash, and a store that fails; then a calm in which
 * everything must come to its end. Needs `replaceGlobals`, and one world at a time.
 */
export async function simulate(seed: number, options: RoundOptions): Promise<Round> {
  const random = createRandom(`seed ${seed}`)
  const scheduler = new Scheduler({
    startMs,
    random: random.fork('scheduler'),
    drain,
    onTrace: options.onTrace,
  })
  enterWorld(scheduler)
  const inner = await openStore({ dataDir: ':memory:' })
  try {
    return await liveRound(seed, options, scheduler, inner)
  } finally {
    await inner.close()
  }
}

async function liveRound(
  seed: number,
  options: RoundOptions,
  scheduler: Scheduler,
  inner: Store,
): Promise<Round> {
  const random = createRandom(`seed ${seed}`)
  const record = new WorldRecord(scheduler)
  const projectId = '00000000-0000-7000-8000-000000000001'
  const project = { name: 'simulation', description: '', projectType: 'general' }
  await inner.write({
    kind: 'create_project',
    id: projectId,
    ...project,
    timeMs: startMs,
    actor: 'user:simulation',
  })
  const names = chooseWorkflows(random.fork('workflows'))
  const catalogue = withWorkflows(options.catalogue, names)
  const troubles = new Troubles({
    scheduler,
    random: random.fork('troubles'),
    inner,
    catalogue,
    record,
    plant: options.plant,
  })
  const callers = new Callers({
    scheduler,
    random: random.fork('callers'),
    processes: () => troubles.processes,
    projectId,
  })
  record.onInbox = (message) => callers.noteInbox(message)
  record.onToken = answerLater(scheduler, random.fork('answers'), callers)
  troubles.begin()
  let isOver = false
  liveThrough({ scheduler, random: random.fork('workload'), callers, names, record, troubles, inner }).then(
    () => {
      isOver = true
    },
    (error: unknown) => record.onBug(`workload: ${String(error)}`),
  )
  const end = await scheduler.run(() => isOver, startMs + longestCalmMs)
  if (end !== 'done')
    record.onBug(`The world does not come to rest: ${end} at ${scheduler.nowMs - startMs} ms.`)
  const violations = await checkWorld({
    inner,
    callers,
    record,
    catalogue: options.catalogue,
    troubles,
    scheduler,
  })
  await options.onEnd?.(inner)
  const { fingerprint, happenings, nowMs } = scheduler
  return { seed, violations, fingerprint, happenings, runs: callers.runs.length, lastedMs: nowMs - startMs }
}

/** Who is handed a token answers mostly, now and then twice, and not always. */
function answerLater(scheduler: Scheduler, random: Random, callers: Callers) {
  return (runId: string, token: string) => {
    for (let count = random.pick([0, 1, 1, 1, 2]); count > 0; count--) {
      scheduler.after(random.small(0, 10_000), 'somebody answers', () => {
        for (const run of callers.known([runId])) void callers.answer(run, token)
      })
    }
  }
}
