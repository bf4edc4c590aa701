import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Store } from '@kyros/store/store'
import type { EngineClock } from './timers.ts'

export type Lease = {
  /** The number that goes with every write; undefined while there is none to give. */
  readonly epoch: number | undefined
  readonly isHeld: boolean
  /** False once nobody else can be known not to hold it by now: this process may have stood still for longer than that. */
  readonly isSure: boolean
  /** Takes and renews the lease until `signal` aborts; calls back on every change. */
  keep(signal: AbortSignal): Promise<void>
  /** Gives the lease back, so that another process need not wait for its end. */
  release(): Promise<void>
  /** Somebody else holds it: found out by a refused write. */
  lost(): void
}

/** Who holds the lease: all engines of one process together. It is given back when the last of them lets go. */
export class LeaseHolder {
  readonly name: string
  #engines = 0

  /** A person reads it when the database is in use; its end keeps two lives of one process number apart. */
  constructor(name = `process ${process.pid} on ${hostname()} (${randomUUID().slice(0, 13)})`) {
    this.name = name
  }

  /** The answer is what an engine calls when it lets go: true for the last of them, once. */
  join(): () => boolean {
    this.#engines += 1
    let isIn = true
    return () => {
      if (!isIn) return false
      isIn = false
      this.#engines -= 1
      return this.#engines === 0
    }
  }
}

/** SQLite has one process: it holds the engine by having the database open. */
export function createTrivialLease(onHeld: () => void): Lease {
  let isHeld = false
  return {
    epoch: undefined,
    get isHeld() {
      return isHeld
    },
    get isSure() {
      return isHeld
    },
    keep: async (signal) => {
      if (signal.aborted) return
      isHeld = true
      onHeld()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      isHeld = false
    },
    release: async () => {
      isHeld = false
    },
    lost: () => {},
  }
}

export type StoreLeaseOptions = {
  store: Store
  clock: EngineClock
  /** A name is a holder with one engine. */
  holder: string | LeaseHolder
  ttlMs: number
  onHeld: () => void
  onLost: () => void
  onError: (error: unknown) => void
}

/** One process of several runs the engine: the holder of a lease that is renewed every third of its time. */
export function createStoreLease(options: StoreLeaseOptions): Lease {
  const { store, clock, ttlMs } = options
  const joined = typeof options.holder === 'string' ? new LeaseHolder(options.holder) : options.holder
  const { name: holder } = joined
  const leave = joined.join()
  let epoch: number | undefined
  const elapsedMs = () => clock.elapsedMs?.() ?? performance.now()
  // By two clocks: one may be set back, and the other does not count the time in which the machine was suspended.
  let heldUntil = { clockMs: 0, elapsedMs: 0 }
  const isOver = () => clock.nowMs() >= heldUntil.clockMs || elapsedMs() >= heldUntil.elapsedMs

  const drop = () => {
    if (epoch === undefined) return
    epoch = undefined
    options.onLost()
  }

  /** How long to wait before the next try. */
  const renew = async (): Promise<number> => {
    const timeMs = clock.nowMs()
    const until = { clockMs: timeMs + ttlMs, elapsedMs: elapsedMs() + ttlMs }
    const result = await store.write({ kind: 'acquire_engine_lease', holder, timeMs, ttlMs })
    if (!result.held) {
      drop()
      return Math.max(50, Math.min(result.leftMs, ttlMs / 3))
    }
    heldUntil = until
    if (epoch !== result.epoch) {
      drop()
      epoch = result.epoch
      options.onHeld()
    }
    return ttlMs / 3
  }

  const failed = (error: unknown) => {
    options.onError(error)
    if (isOver()) drop()
    return ttlMs / 6
  }

  return {
    get epoch() {
      return epoch
    },
    get isHeld() {
      return epoch !== undefined
    },
    get isSure() {
      return epoch !== undefined && !isOver()
    },
    lost: drop,
    keep: async (signal) => {
      while (!signal.aborted) {
        const pauseMs = await renew().catch(failed)
        await clock.sleep(pauseMs, signal).catch(() => {})
      }
    },
    release: async () => {
      const isHeld = epoch !== undefined
      epoch = undefined
      if (leave() && isHeld) await store.write({ kind: 'release_engine_lease', holder })
    },
  }
}
