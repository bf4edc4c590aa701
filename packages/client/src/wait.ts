/** Waits; resolves early, and never rejects, when the signal is aborted. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Doubling delays with half of each left to chance, so that many readers do not come back at once. */
export function backoffMs(failures: number, { minMs, maxMs }: { minMs: number; maxMs: number }): number {
  const fullMs = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30))
  return fullMs / 2 + Math.random() * (fullMs / 2)
}
