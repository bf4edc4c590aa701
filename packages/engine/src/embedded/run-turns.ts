/** What is to happen to one run, in its order, and who waits until nothing of it is left. */
export class RunTurns {
  #next: (() => void)[] = []
  #quiet: (() => void)[] | undefined

  get isEmpty(): boolean {
    return this.#next.length === 0
  }

  add(turn: () => void): void {
    this.#next.push(turn)
  }

  /** Before everything that came by now. */
  addFirst(turn: () => void): void {
    this.#next.unshift(turn)
  }

  take(): void {
    this.#next.shift()?.()
  }

  /**
   * Takes all that is left, for a run that is closed: each turn then only tells whoever waits for it that nothing comes
   * of it, or gives back what it was granted. One that throws keeps no other from that.
   */
  takeAll(onFault: (error: unknown) => void): void {
    while (!this.isEmpty) {
      try {
        this.take()
      } catch (error) {
        onFault(error)
      }
    }
  }

  /** Resolves at the next `tellQuiet`. */
  untilQuiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#quiet ??= []
      this.#quiet.push(resolve)
    })
  }

  tellQuiet(): void {
    const waiting = this.#quiet
    this.#quiet = undefined
    for (const resolve of waiting ?? []) resolve()
  }
}
