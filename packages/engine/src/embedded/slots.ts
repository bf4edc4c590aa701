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
}

export function createSlots(limit: number): Slots {
  // Insertion order is the order of turns; a run that got one goes to the end.
  const queues = new Map<string, (() => void)[]>()
  let used = 0
  let waiting = 0
  let closed = false

  const grantNext = () => {
    for (const [runId, queue] of queues) {
      queues.delete(runId)
      const granted = queue.shift()
      if (queue.length > 0) queues.set(runId, queue)
      if (granted === undefined) continue
      waiting -= 1
      used += 1
      granted()
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
      queue.push(granted)
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
  }
}
