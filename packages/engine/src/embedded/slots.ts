/** How many attempts run at once, shared fairly: runs take turns, whatever number of steps each has waiting. */
export type Slots = {
  /** True: a slot is taken now. False: `granted` is called once one is. */
  take(runId: string, granted: () => void): boolean
  release(): void
  /** Forgets what the run waits for. */
  forget(runId: string): void
  /** Grants nothing more. */
  close(): void
  readonly used: number
  readonly waiting: number
  /** When the step at the head of the queue began to wait. */
  readonly waitingSinceMs: number | undefined
}

type Waiter = { sinceMs: number; granted: () => void }

export function createSlots(limit: number, nowMs: () => number): Slots {
  // Insertion order is the order of turns; a run that got one goes to the end.
  const queues = new Map<string, Waiter[]>()
  let used = 0
  let waiting = 0
  let closed = false

  const grantNext = () => {
    for (const [runId, queue] of queues) {
      queues.delete(runId)
      const next = queue.shift()
      if (queue.length > 0) queues.set(runId, queue)
      if (next === undefined) continue
      waiting -= 1
      used += 1
      next.granted()
      return
    }
  }

  return {
    take: (runId, granted) => {
      if (used < limit && waiting === 0 && !closed) {
        used += 1
        return true
      }
      const queue = queues.get(runId) ?? []
      queue.push({ sinceMs: nowMs(), granted })
      queues.set(runId, queue)
      waiting += 1
      return false
    },
    release: () => {
      used -= 1
      if (!closed && used < limit) grantNext()
    },
    forget: (runId) => {
      waiting -= queues.get(runId)?.length ?? 0
      queues.delete(runId)
    },
    close: () => {
      closed = true
    },
    get used() {
      return used
    },
    get waiting() {
      return waiting
    },
    get waitingSinceMs() {
      const [first] = queues.values()
      return first?.[0]?.sinceMs
    },
  }
}
