/**
 * A map that forgets what was not used for long: it holds between `size` and twice as many entries. Unlike a map that
 * is kept in the order of use it moves nothing with most look-ups.
 */
export class RecentMap<V> {
  readonly #size: number
  readonly #isPinned: (value: V) => boolean
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  /** What is pinned is never forgotten. */
  constructor(size: number, isPinned: (value: V) => boolean) {
    this.#size = size
    this.#isPinned = isPinned
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old === undefined) return undefined
    this.#old.delete(key)
    this.set(key, old)
    return old
  }

  set(key: string, value: V): void {
    this.#young.set(key, value)
    if (this.#young.size >= this.#size) this.#age()
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
  }

  #age(): void {
    const forgotten = this.#old
    this.#old = this.#young
    this.#young = new Map()
    for (const [key, value] of forgotten) {
      if (this.#isPinned(value) && !this.#old.has(key)) this.#young.set(key, value)
    }
  }
}
