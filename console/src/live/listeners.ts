/** Who wants to hear of something. */
export type Listeners<T> = {
  /** Answers the function that stops listening. */
  add(listener: (heard: T) => void): () => void
  tell(heard: T): void
}

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(heard: T) => void>()
  return {
    add(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(heard) {
      for (const listener of listeners) listener(heard)
    },
  }
}
