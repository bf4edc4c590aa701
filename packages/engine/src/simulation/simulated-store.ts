import { problem } from '@kyros/contract/problem'
import type { Command, CommandKind, CommandOf, ResultOf } from '@kyros/store/command'
import { fillsInbox } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { Random } from './random.ts'
import { type Life, type Scheduler, stall } from './scheduler.ts'
import type { Written } from './world-record.ts'

/** How badly the store behaves, as shares of all operations and milliseconds. */
export type StoreFaults = {
  /** A batch is refused and not applied. */
  refuse: number
  /** A batch is applied and its answer is an outage: the caller cannot know. */
  forget: number
  /** A read fails. */
  read: number
  /** The process dies at one of the boundaries of an operation. */
  crash: number
  /** The process stands still while a batch is on its way: it goes out late, or is heard of late. */
  stall: number
  slowestMs: number
}

export type SimulatedStoreOptions = {
  /** A real store that commits in this thread. */
  inner: Store
  dialect: Store['dialect']
  scheduler: Scheduler
  life: Life
  random: Random
  /** Read anew for every operation: outages begin and end. */
  faults: () => StoreFaults
  /** The process dies here and now. */
  crash: (where: string) => void
  /** Called when a batch was applied, with the commands that succeeded. */
  onApplied: (written: readonly Written[]) => void
  /** Wakes who follows the inbox, in every life. */
  inboxBells: Set<() => void>
}

type Waiting = {
  command: Command
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

const outage = () => problem('store_unavailable', { detail: 'The simulated store does not answer.' })
const maxBatch = 64
const longestInboxWaitMs = 5000
/** Four times the time for which the lease is held: another process has taken it, and done something with it. */
const longestStallMs = 12_000

/**
 * The store as one life sees it: a real one behind a line on which every operation takes its time, may fail before or
 * after it has an effect, and is never answered once the life is over. Writes are applied in the order of the calls and
 * in batches, one batch at a time, each batch whole or not at all: that is what the store promises.
 */
export function createSimulatedStore(options: SimulatedStoreOptions): Store {
  const { inner, dialect } = options
  const line = new WriteLine(options)
  const nouns = new Map<string, unknown>()
  return new Proxy(inner, {
    get: (_target, name) => {
      if (typeof name !== 'string') return undefined
      if (name === 'dialect') return dialect
      if (name === 'then') return undefined
      const known = nouns.get(name)
      if (known !== undefined) return known
      const made = name === 'write' ? line.write : simulatedNoun(options, line, name)
      nouns.set(name, made)
      return made
    },
  })
}

type Method = (...args: unknown[]) => unknown

const isMethod = (value: unknown): value is Method => typeof value === 'function'

/** A noun's methods, or a method of the store itself, behind the line. */
function simulatedNoun(options: SimulatedStoreOptions, line: WriteLine, name: string): unknown {
  // Border cast: the port is forwarded by name, so that what it gains is simulated without a word here.
  const noun = (options.inner as unknown as Record<string, unknown>)[name]
  if (name === 'close') return async () => {}
  if (isMethod(noun))
    return (...args: unknown[]) => read(options, name, () => noun.apply(options.inner, args))
  if (typeof noun !== 'object' || noun === null) return noun
  const entries = Object.entries(noun).map(([method, own]) => {
    const path = `${name}.${method}`
    const call = (...args: unknown[]) => (isMethod(own) ? own.apply(noun, args) : own)
    if (path === 'inbox.changes') return [method, (signal: AbortSignal) => inboxChanges(options, signal)]
    if (path === 'blobs.put') return [method, (...args: unknown[]) => line.act(path, () => call(...args))]
    if (method === 'changes' || method === 'follow') return [method, call]
    return [method, (...args: unknown[]) => read(options, path, () => call(...args))]
  })
  return Object.fromEntries(entries)
}

function read(options: SimulatedStoreOptions, what: string, ask: () => unknown): Promise<unknown> {
  const { scheduler, life, random, faults } = options
  return new Promise((resolve, reject) => {
    const answer = (settle: () => void) =>
      scheduler.after(random.small(0, faults().slowestMs), `hears ${what}`, settle, life)
    scheduler.after(
      random.small(0, faults().slowestMs),
      `reads ${what}`,
      () => {
        if (random.chance(faults().read)) answer(() => reject(outage()))
        else
          Promise.resolve(ask()).then(
            (value) => answer(() => resolve(value)),
            (error) => answer(() => reject(error)),
          )
      },
      life,
    )
  })
}

/** Yields when a message was stored, at once or a little later, and at least every second. */
async function* inboxChanges(options: SimulatedStoreOptions, signal: AbortSignal): AsyncGenerator<void> {
  const { scheduler, life, inboxBells } = options
  let wake = () => {}
  const bell = () => scheduler.after(options.random.small(0, 20), 'inbox rings', () => wake(), life)
  inboxBells.add(bell)
  try {
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
        scheduler.after(longestInboxWaitMs, 'looks into the inbox', () => resolve(), life)
      })
      if (!signal.aborted) yield
    }
  } finally {
    inboxBells.delete(bell)
  }
}

/** The one line on which writes go out. */
class WriteLine {
  readonly #options: SimulatedStoreOptions
  #queue: Waiting[] = []
  #busy = false

  constructor(options: SimulatedStoreOptions) {
    this.#options = options
  }

  write = <K extends CommandKind>(command: CommandOf<K> & { kind: K }): Promise<ResultOf<K>> => {
    // The store copies a command at once, so that the caller may change it afterwards.
    const copy: Command = JSON.parse(JSON.stringify(command))
    return new Promise((resolve, reject) => {
      this.#queue.push({ command: copy, resolve, reject })
      this.#send()
    })
  }

  /** Something else with an effect that is whole or not there. */
  act(what: string, apply: () => unknown): Promise<unknown> {
    const { scheduler, life, random, faults } = this.#options
    return new Promise((resolve, reject) => {
      scheduler.after(
        random.small(0, faults().slowestMs),
        `does ${what}`,
        () => {
          if (random.chance(faults().refuse)) return reject(outage())
          Promise.resolve(apply()).then(resolve, reject)
        },
        life,
      )
    })
  }

  #send(): void {
    if (this.#busy || this.#queue.length === 0) return
    this.#busy = true
    const { scheduler, random, faults, life, dialect } = this.#options
    const delayMs = random.small(0, faults().slowestMs)
    // What a database server was sent may be applied after the death of who sent it; a thread dies with its process.
    const outlives = dialect === 'postgres' && random.chance(0.5)
    const batch = random.chance(0.7) ? undefined : random.int(1, maxBatch)
    const taken = outlives ? this.#take(batch) : undefined
    if (random.chance(faults().stall)) stall(life, scheduler.nowMs + random.int(500, longestStallMs))
    scheduler.after(
      delayMs,
      `${life.name} writes`,
      () => this.#apply(taken ?? this.#take(batch)),
      outlives ? undefined : life,
    )
  }

  #take(size = maxBatch): Waiting[] {
    return this.#queue.splice(0, size)
  }

  #apply(batch: readonly Waiting[]): void {
    const { random, faults, inner } = this.#options
    if (this.#dies('before', batch)) return
    if (random.chance(faults().refuse)) {
      this.#note('refused', batch)
      this.#answer(() => {
        for (const { reject } of batch) reject(outage())
      })
      return
    }
    this.#note('applied', batch)
    const written = batch.map(({ command }) =>
      // Border cast: each command is one of the closed list, whatever its kind.
      inner.write(this.#onServer(command) as CommandOf<'append_event'> & { kind: 'append_event' }),
    )
    void Promise.allSettled(written).then((results) => this.#applied(batch, results))
  }

  /** A database server goes by its own clock, and not by that of who asks for the lease. */
  #onServer(command: Command): Command {
    if (command.kind !== 'acquire_engine_lease') return command
    return { ...command, timeMs: this.#options.scheduler.nowMs }
  }

  #applied(batch: readonly Waiting[], results: readonly PromiseSettledResult<unknown>[]): void {
    const { random, faults, onApplied, inboxBells } = this.#options
    const done = batch.flatMap(({ command }, index): Written[] => {
      const result = results[index]
      return result?.status === 'fulfilled' ? [{ command, result: result.value }] : []
    })
    onApplied(done)
    if (done.some(({ command }) => fillsInbox(command))) for (const ring of inboxBells) ring()
    if (this.#dies('after', batch)) return
    const forget = random.chance(faults().forget)
    if (forget) this.#note('forgotten', batch)
    this.#answer(() => {
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index]
        if (forget || result === undefined) reject(outage())
        // Border cast: the store answered this very command, so its result has the command's type.
        else if (result.status === 'fulfilled') resolve(result.value as never)
        else reject(result.reason)
      }
    })
  }

  #answer(settle: () => void): void {
    const { scheduler, random, faults, life } = this.#options
    scheduler.after(
      random.small(0, faults().slowestMs),
      'hears of its writes',
      () => {
        this.#busy = false
        settle()
        this.#send()
      },
      life,
    )
  }

  #dies(when: string, batch: readonly Waiting[]): boolean {
    const { random, faults, crash } = this.#options
    if (!random.chance(faults().crash)) return false
    crash(`${when} ${namesOf(batch)}`)
    return true
  }

  #note(what: string, batch: readonly Waiting[]): void {
    this.#options.scheduler.note(`${this.#options.life.name} ${what}: ${namesOf(batch)}`)
  }
}

function namesOf(batch: readonly Waiting[]): string {
  return batch.map(({ command }) => nameOf(command)).join(' + ')
}

function nameOf(command: Command): string {
  if (command.kind === 'append_many')
    return command.appends.map((one) => nameOf({ kind: 'append_run_events', ...one })).join(' & ')
  const run = 'runId' in command ? command.runId.slice(-4) : 'run' in command ? command.run.id.slice(-4) : ''
  const events = 'events' in command ? `[${command.events.map(({ type }) => type).join(' ')}]` : ''
  return `${command.kind} ${run}${events}`
}
