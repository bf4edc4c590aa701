import { availableParallelism } from 'node:os'
import { FairLine, type Owner } from './fair-line.ts'

/** What an attempt needs before it may begin; the options of its step have these fields. */
export type Demand = {
  /** `inline`: no slot of a queue, only one of the many for inline attempts. */
  readonly mode?: 'queue' | 'inline' | undefined
  /** Undefined: the default queue. */
  readonly queue?: string | undefined
  /** At most so many attempts at once, over all runs and queues, as are configured for it. */
  readonly concurrencyKey?: string | undefined
  /** 1 (first) to 5. Default: 3. */
  readonly priority?: number | undefined
}

/** Why an attempt waits: no slot in `queue`, or the key is held by `holders`. */
export type SlotWait =
  | { kind: 'queue'; name: string; limit: number; used: number; waiting: number }
  | { kind: 'key'; name: string; limit: number; holders: readonly string[]; waiting: number }

export type QueueState = { name: string; limit: number; used: number; waiting: number }

/**
 * How many attempts run at once, by queue and by concurrency key. Runs take turns whatever number of steps each has
 * waiting; a higher priority goes first without starving others.
 */
export type Slots = {
  /** True: the attempt may begin now. False: `granted` is called once it may. */
  take(runId: string, granted: () => void, demand?: Demand): boolean
  /** Gives back what `take` or `granted` gave; with the same run and demand. */
  release(runId?: string, demand?: Demand): void
  /** Forgets what the run waits for. */
  forget(runId: string): void
  /** Grants nothing more. */
  close(): void
  readonly used: number
  readonly waiting: number
  /** How many that waited have been granted so far. */
  readonly granted: number
  /** When the attempt that has its turn next began to wait, of all queues the earliest. */
  readonly waitingSinceMs: number | undefined
  /** What keeps an attempt of this run with this demand. */
  explain(runId: string, demand?: Demand): SlotWait
  /** Queues in use. */
  queues(): QueueState[]
}

export type SlotLimits = {
  /** Attempts at once by queue; a queue that is not named has the limit of the default one. Of `cpu`: two for each core. */
  queues?: Readonly<Record<string, number>> | undefined
  /** Attempts at once by concurrency key, or by what stands before its first colon. Default: 1. */
  keys?: Readonly<Record<string, number>> | undefined
  /** Inline attempts at once. Default: 10,000. */
  inline?: number | undefined
}

type Run = Owner & { readonly id: string; waiting: number; reserved: Set<Waiter> | undefined }

type Waiter = {
  readonly owner: Run
  readonly priority: number
  tag: number
  order: number
  readonly sinceMs: number
  readonly queue: Queue
  readonly key: Key | undefined
  readonly granted: () => void
}

type Queue = { readonly name: string; readonly limit: number; used: number; readonly line: FairLine<Waiter> }
type Key = {
  readonly name: string
  readonly limit: number
  /** Runs whose attempts hold it; a run is in it once for each attempt. */
  readonly holders: string[]
  readonly line: FairLine<Waiter>
}

const defaultName = 'default'
const inlineName = 'inline'
/** Steps that keep a core busy belong here. */
const cpuName = 'cpu'
/** Most steps wait for something outside, such as a model. */
const usualLimit = 256
/** Inline attempts at once. */
export const usualInline = 10_000
const usualPriority = 3
const sweepFrom = 1024

/** `limit` is that of each queue for itself. */
export function createSlots(limit = usualLimit, nowMs: () => number, limits: SlotLimits = {}): Slots {
  const queues = { [cpuName]: 2 * availableParallelism(), ...limits.queues }
  return new StepSlots(limit, nowMs, { ...limits, queues })
}

class StepSlots implements Slots {
  readonly #limits: SlotLimits
  readonly #limit: number
  readonly #nowMs: () => number
  readonly #default: Queue
  readonly #inline: Queue
  readonly #queues = new Map<string, Queue>()
  readonly #keys = new Map<string, Key>()
  readonly #runs = new Map<string, Run>()
  #used = 0
  #waiting = 0
  #granted = 0
  /** Waiters of forgotten runs that are still in a line. */
  #dead = 0
  #dropIdleAt = sweepFrom
  #closed = false

  constructor(limit: number, nowMs: () => number, limits: SlotLimits) {
    this.#limit = limit
    this.#nowMs = nowMs
    this.#limits = limits
    this.#default = newQueue(defaultName, limits.queues?.[defaultName] ?? limit)
    this.#inline = newQueue(inlineName, limits.inline ?? usualInline)
  }

  get used(): number {
    return this.#used
  }

  get waiting(): number {
    return this.#waiting
  }

  get granted(): number {
    return this.#granted
  }

  get waitingSinceMs(): number | undefined {
    let earliest: number | undefined
    for (const { line } of [this.#default, this.#inline, ...this.#queues.values(), ...this.#keys.values()]) {
      const sinceMs = line.first?.sinceMs
      if (sinceMs !== undefined && (earliest === undefined || sinceMs < earliest)) earliest = sinceMs
    }
    return earliest
  }

  take(runId: string, granted: () => void, demand?: Demand): boolean {
    const queue = this.#queueOf(demand)
    const key = demand?.concurrencyKey === undefined ? undefined : this.#keyOf(demand.concurrencyKey)
    const keyIsFree = key === undefined || isFree(key)
    if (keyIsFree && !this.#closed && queue.used < queue.limit && queue.line.first === undefined) {
      this.#begin(queue, key, runId)
      return true
    }
    const owner = this.#runOf(runId)
    const priority = demand?.priority ?? usualPriority
    const waiter: Waiter = {
      ...{ owner, priority, tag: 0, order: 0, sinceMs: this.#nowMs() },
      ...{ queue, key, granted },
    }
    owner.waiting += 1
    this.#waiting += 1
    if (keyIsFree) this.#line(waiter)
    else key.line.push(waiter)
    return false
  }

  release(runId = '', demand?: Demand): void {
    const queue = this.#queueOf(demand)
    queue.used -= 1
    this.#used -= 1
    const key = demand?.concurrencyKey === undefined ? undefined : this.#keys.get(demand.concurrencyKey)
    if (key !== undefined) this.#free(key, runId)
    this.#grant(queue)
  }

  forget(runId: string): void {
    const run = this.#runs.get(runId)
    if (run === undefined) return
    this.#runs.delete(runId)
    run.dead = true
    this.#waiting -= run.waiting
    this.#dead += run.waiting
    const reserved = [...(run.reserved ?? [])]
    run.reserved = undefined
    for (const { key } of reserved) if (key !== undefined) this.#free(key, runId)
    if (this.#dead > sweepFrom && this.#dead > this.#waiting) this.#sweep()
  }

  close(): void {
    this.#closed = true
  }

  explain(runId: string, demand?: Demand): SlotWait {
    const key = demand?.concurrencyKey === undefined ? undefined : this.#keys.get(demand.concurrencyKey)
    if (key !== undefined && !key.holders.includes(runId)) {
      const { name, limit, holders, line } = key
      return { kind: 'key', name, limit, holders: [...new Set(holders)], waiting: line.length }
    }
    return { kind: 'queue', ...stateOf(this.#queueOf(demand)) }
  }

  queues(): QueueState[] {
    return [this.#default, this.#inline, ...this.#queues.values()].map(stateOf)
  }

  #queueOf(demand: Demand | undefined): Queue {
    if (demand === undefined) return this.#default
    if (demand.mode === 'inline') return this.#inline
    const { queue: name } = demand
    if (name === undefined || name === defaultName) return this.#default
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    if (this.#queues.size >= this.#dropIdleAt) this.#dropIdle()
    const queue = newQueue(name, this.#limits.queues?.[name] ?? this.#limit)
    this.#queues.set(name, queue)
    return queue
  }

  #keyOf(name: string): Key {
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const { keys = {} } = this.#limits
    const limit = keys[name] ?? keys[name.split(':', 1)[0] ?? name] ?? 1
    const key: Key = { name, limit, holders: [], line: new FairLine() }
    this.#keys.set(name, key)
    return key
  }

  #runOf(id: string): Run {
    const known = this.#runs.get(id)
    if (known !== undefined) return known
    const run: Run = { id, dead: false, waiting: 0, reserved: undefined }
    this.#runs.set(id, run)
    return run
  }

  #begin(queue: Queue, key: Key | undefined, runId: string): void {
    queue.used += 1
    this.#used += 1
    key?.holders.push(runId)
  }

  /** Into the line of its queue. Its key is reserved from here on: others must not overtake it there. */
  #line(waiter: Waiter): void {
    const { owner, key, queue } = waiter
    if (key !== undefined) {
      key.holders.push(owner.id)
      owner.reserved ??= new Set()
      owner.reserved.add(waiter)
    }
    queue.line.push(waiter)
  }

  #grant(queue: Queue): void {
    while (!this.#closed && queue.used < queue.limit) {
      const waiter = queue.line.shift()
      if (waiter === undefined) return
      const { owner } = waiter
      owner.reserved?.delete(waiter)
      owner.waiting -= 1
      this.#waiting -= 1
      if (owner.waiting === 0) this.#runs.delete(owner.id)
      queue.used += 1
      this.#used += 1
      this.#granted += 1
      waiter.granted()
    }
  }

  #free(key: Key, runId: string): void {
    const held = key.holders.indexOf(runId)
    if (held >= 0) key.holders.splice(held, 1)
    while (isFree(key)) {
      const next = key.line.shift()
      if (next === undefined) break
      this.#line(next)
      this.#grant(next.queue)
    }
    if (key.holders.length === 0 && key.line.length === 0) this.#keys.delete(key.name)
  }

  /** Names of queues may come from inputs: those that nobody uses are no entries for ever. */
  #dropIdle(): void {
    const needed = new Set<Queue>()
    for (const { line } of this.#keys.values()) for (const { queue } of line) needed.add(queue)
    for (const [name, queue] of this.#queues) {
      if (queue.used === 0 && queue.line.first === undefined && !needed.has(queue)) this.#queues.delete(name)
    }
    this.#dropIdleAt = Math.max(sweepFrom, 2 * this.#queues.size)
  }

  #sweep(): void {
    this.#dead = 0
    for (const { line } of [this.#default, this.#inline, ...this.#queues.values(), ...this.#keys.values()]) {
      line.sweep()
    }
  }
}

const isFree = (key: Key) => key.holders.length < key.limit

function newQueue(name: string, limit: number): Queue {
  return { name, limit, used: 0, line: new FairLine() }
}

function stateOf({ name, limit, used, line }: Queue): QueueState {
  return { name, limit, used, waiting: line.length }
}
