import type { Store } from '@kyros/store/store'

// Work hands itself on from turn to turn: it is over when nothing has begun for this many.
const quietTurns = 4
const giveUpMs = 20_000
// Of real time: how long a step may clean up before the test goes on without it.
const obeyGraceMs = 100

/** Knows whether anything goes on that ends by itself: reads and writes of the store, and steps. */
export class BusyWatch {
  #underWay = 0
  #begun = 0
  #steps = 0

  /** True while the implementation of a step runs. */
  get isInStep(): boolean {
    return this.#steps > 0
  }

  /** A store whose every call is counted while it is under way. */
  watchStore(store: Store): Store {
    return watched(store, (result) => this.#during(result))
  }

  /** A step that was told to stop and does not is no longer counted a little later. */
  async duringStep<T>(signal: AbortSignal, body: () => Promise<T>): Promise<T> {
    this.#steps += 1
    this.#begun += 1
    let isCounted = true
    const end = () => {
      if (!isCounted) return
      isCounted = false
      this.#steps -= 1
      this.#begun += 1
    }
    const onAbort = () => setTimeout(end, obeyGraceMs).unref()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await body()
    } finally {
      signal.removeEventListener('abort', onAbort)
      end()
    }
  }

  /**
   * Resolves when nothing more happens without time passing or a message from outside. A step that runs is waited for
   * at most `stepGraceMs` of real time. @throws when the engine is busy for 20 seconds of real time
   */
  async quiet(stepGraceMs: number): Promise<void> {
    const begunMs = performance.now()
    let [seen, turns] = [this.#begun, 0]
    while (turns < quietTurns) {
      await new Promise((resolve) => setImmediate(resolve))
      const waitedMs = performance.now() - begunMs
      const isInStep = this.#steps > 0 && waitedMs < stepGraceMs
      const isStill = this.#underWay === 0 && !isInStep && !readsFiles()
      turns = isStill && seen === this.#begun ? turns + 1 : 0
      seen = this.#begun
      if (waitedMs > giveUpMs + stepGraceMs)
        throw new Error(`The engine has been busy for ${giveUpMs / 1000} s.`)
    }
  }

  #during(result: unknown): void {
    if (!(result instanceof Promise)) return
    this.#underWay += 1
    this.#begun += 1
    const end = () => {
      this.#underWay -= 1
    }
    result.then(end, end)
  }
}

/** The engine loads definitions and makes directories beside the store. */
function readsFiles(): boolean {
  return process.getActiveResourcesInfo().some((resource) => resource.startsWith('FSReq'))
}

/** An object whose methods, and those of the objects in it, tell what they answer. */
function watched<T extends object>(target: T, tell: (result: unknown) => void): T {
  const known = new Map<PropertyKey, unknown>()
  return new Proxy(target, {
    get: (_target, key) => {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value === 'object' && value !== null) {
        if (!known.has(key)) known.set(key, watched(value, tell))
        return known.get(key)
      }
      if (typeof value !== 'function') return value
      return (...words: unknown[]) => {
        const result: unknown = Reflect.apply(value, target, words)
        tell(result)
        return result
      }
    },
  })
}
