import type { Stats } from '@kyros/contract/platform'
import type { Clock } from '@kyros/kernel/clock'
import type { Store } from '@kyros/store/store'

const freshMs = 1000

/** Counts for the console, at most a second old: many tabs that ask at once cost one query. */
export function createStatsReader(store: Store, clock: Clock): () => Promise<Stats> {
  let kept: { readMs: number; stats: Promise<Stats> } | undefined
  return () => {
    const nowMs = clock.nowMs()
    if (kept !== undefined && nowMs - kept.readMs < freshMs) return kept.stats
    const stats = store.stats(nowMs)
    const entry = { readMs: nowMs, stats }
    kept = entry
    // A failure is not kept: the next caller asks again.
    stats.catch(() => {
      if (kept === entry) kept = undefined
    })
    return stats
  }
}
