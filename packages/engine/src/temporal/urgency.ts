/** A hint may come before what it speaks of can be read. */
const readsPerHint = 3

/** Whether more of a history is to be read at once, because somebody said so. */
export class Urgency {
  #reads = 0
  #wake: (() => void) | undefined

  /** The next reads are not to wait; who waits now goes on. */
  readonly hint = (): void => {
    this.#reads = readsPerHint
    this.#wake?.()
  }

  /** Resolves when the next read is to begin: with `pause`, or at once. */
  async before(pause: () => Promise<void>): Promise<void> {
    if (this.#reads === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await Promise.race([pause(), promise])
      this.#wake = undefined
    }
    if (this.#reads > 0) this.#reads -= 1
  }
}
