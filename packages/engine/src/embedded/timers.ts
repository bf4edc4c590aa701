import { popFromHeap, pushToHeap } from '../heap.ts'

/** The part of the kernel's clock that the engine uses. */
export type EngineClock = {
  nowMs(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Milliseconds since any moment, which nobody can set back. Default: the machine's. */
  elapsedMs?(): number
  /** How long to sleep at most before looking at the time again. Default: 30 seconds. */
  readonly longestSleepMs?: number
}

export type Timer = { readonly dueMs: number; cancel(): void }

export type Timers = {
  /** Calls `fire` once at or after `dueMs`, never earlier by the clock. */
  at(dueMs: number, fire: () => void): Timer
  readonly size: number
  stop(): void
}

const nothing = () => {}

class Entry implements Timer {
  readonly dueMs: number
  readonly order: number
  fire: () => void
  readonly #onCancel: () => void
  over = false

  constructor(dueMs: number, order: number, fire: () => void, onCancel: () => void) {
    this.dueMs = dueMs
    this.order = order
    this.fire = fire
    this.#onCancel = onCancel
  }

  cancel(): void {
    if (this.over) return
    this.over = true
    // The entry stays in the heap for a while; what it would have called need not.
    this.fire = nothing
    this.#onCancel()
  }
}

// The clock may be set forward while we sleep: look at it at least this often.
const longestSleepMs = 30_000
// Most timers are limits that are never reached: their entries are swept out together.
const compactFrom = 1024

/** Any number of timers on one sleeping wait. */
export function createTimers(clock: EngineClock): Timers {
  const heap: Entry[] = []
  let order = 0
  let live = 0
  let sleeping: { untilMs: number; wake: AbortController } | undefined
  let stopped = false

  const fireDue = () => {
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      if (!first.over && first.dueMs > clock.nowMs()) break
      popFromHeap(heap, before)
      if (first.over) continue
      first.over = true
      live -= 1
      first.fire()
    }
    arm()
  }

  const arm = () => {
    const first = heap[0]
    if (stopped || first === undefined) return sleeping?.wake.abort()
    if (sleeping !== undefined && sleeping.untilMs <= first.dueMs) return
    sleeping?.wake.abort()
    const wake = new AbortController()
    const durationMs = Math.max(
      0,
      Math.min(first.dueMs - clock.nowMs(), clock.longestSleepMs ?? longestSleepMs),
    )
    const mine = { untilMs: clock.nowMs() + durationMs, wake }
    sleeping = mine
    const done = () => {
      if (sleeping !== mine) return
      sleeping = undefined
      if (!stopped) fireDue()
    }
    clock.sleep(durationMs, wake.signal).then(done, done)
  }

  const onCancel = () => {
    live -= 1
    if (heap.length > compactFrom && heap.length > 4 * live) compact(heap)
  }

  return {
    at: (dueMs, fire) => {
      // It would keep all that are due after it from ever being found.
      if (Number.isNaN(dueMs)) throw new RangeError('A timer without a time.')
      const entry = new Entry(dueMs, order++, fire, onCancel)
      pushToHeap(heap, entry, before)
      live += 1
      if (heap[0] === entry) arm()
      return entry
    },
    get size() {
      return live
    },
    stop: () => {
      stopped = true
      sleeping?.wake.abort()
    },
  }
}

const before = (a: Entry, b: Entry) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)

function compact(heap: Entry[]): void {
  const kept = heap.filter((entry) => !entry.over)
  // A sorted array is a heap.
  kept.sort((a, b) => (before(a, b) ? -1 : 1))
  heap.length = 0
  for (const entry of kept) heap.push(entry)
}
