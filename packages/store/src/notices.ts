/** How long a reader sleeps at most when no notice comes: another process may have written. */
export const pollMs = 1_000

const groupOf = (topic: string) => topic.split('/', 1)[0] ?? topic

/** Wakes readers when something of a topic was committed. A notice says nothing; the tables say what. */
export class Notices {
  /** By group, then by topic: thousands may listen to one run each, and are not looked at for another group. */
  readonly #groups = new Map<string, Map<string, Set<() => void>>>()

  notify(topic: string): void {
    for (const wake of this.#groups.get(groupOf(topic))?.get(topic) ?? []) wake()
  }

  notifyEach(topics: readonly string[]): void {
    for (const topic of topics) this.notify(topic)
  }

  /** For a topic and everything below it: `logs` also wakes who waits for `logs/<run>`. */
  notifyGroup(group: string): void {
    for (const wakes of this.#groups.get(group)?.values() ?? []) for (const wake of wakes) wake()
  }

  notifyAll(): void {
    for (const group of this.#groups.keys()) this.notifyGroup(group)
  }

  /** Calls `wake` at every notice until the returned function is called. */
  listen(topic: string, wake: () => void): () => void {
    const group = groupOf(topic)
    const topics = this.#groups.get(group) ?? new Map<string, Set<() => void>>()
    this.#groups.set(group, topics)
    const wakes = topics.get(topic) ?? new Set()
    topics.set(topic, wakes.add(wake))
    return () => {
      wakes.delete(wake)
      if (wakes.size === 0 && topics.get(topic) === wakes) topics.delete(topic)
    }
  }

  /** Yields at every notice and at least once a second, until `signal` aborts. Notices in between are one. */
  async *changes(topic: string, signal: AbortSignal): AsyncGenerator<void> {
    const bell = new Bell()
    const stop = this.listen(topic, () => bell.ring())
    const abort = () => bell.ring()
    signal.addEventListener('abort', abort)
    try {
      while (!signal.aborted) {
        await bell.wait(pollMs)
        if (!signal.aborted) yield
      }
    } finally {
      stop()
      signal.removeEventListener('abort', abort)
    }
  }
}

/** Remembers one ring for whoever waits next. */
export class Bell {
  #rung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  async wait(timeoutMs: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        timer.unref()
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#rung = false
    this.#wake = undefined
  }
}
