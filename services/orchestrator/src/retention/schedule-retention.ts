import type { ApiContext } from '../context.ts'

export type RetentionPlan = {
  /** Jobs that ended longer ago are removed. */
  olderThanMs: number
  everyMs: number
  /** Whether what is removed is archived first. */
  isArchived: boolean
}

export type RetentionLog = (level: 'info' | 'warn', message: string) => void

const jobsAtOnce = 200
/** A start has better things to do first. */
const firstAfterMs = 60_000
/** Between two bites others have their turn. */
const pauseMs = 50
/** A blob is older than the commit that names it by no more than this. */
const blobGraceMs = 24 * 3_600_000

/**
 * Removes what is old, again and again until `signal` aborts. Of several servers on one database only the one that holds
 * the engine does it. What fails is tried again the next time.
 */
export async function scheduleRetention(
  context: ApiContext,
  plan: RetentionPlan,
  signal: AbortSignal,
  log: RetentionLog,
): Promise<void> {
  for (
    let waitMs = Math.min(firstAfterMs, plan.everyMs);
    await slept(context, waitMs, signal);
    waitMs = plan.everyMs
  ) {
    if (context.engine.health().details.holds_lease === false) continue
    try {
      await removeOld(context, plan, signal, log)
    } catch (error) {
      if (signal.aborted) return
      log('warn', `Old jobs were not removed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

async function removeOld(
  { store, clock, archiveDir }: ApiContext,
  { olderThanMs, isArchived }: RetentionPlan,
  signal: AbortSignal,
  log: RetentionLog,
): Promise<void> {
  const total = { jobs: 0, runs: 0 }
  for (let hasMore = true; hasMore && !signal.aborted; ) {
    const removed = await store.retention.run({
      olderThanMs,
      nowMs: clock.nowMs(),
      archiveDir: isArchived ? archiveDir : undefined,
      limit: jobsAtOnce,
    })
    total.jobs += removed.jobs
    total.runs += removed.runs
    hasMore = removed.hasMore
    if (hasMore) await clock.sleep(pauseMs, signal)
  }
  if (total.runs === 0) return
  const { removed, bytes } = await store.retention.sweepBlobs({ graceMs: blobGraceMs })
  log(
    'info',
    `${total.jobs} old jobs with ${total.runs} runs and ${removed} files of ${bytes} bytes are removed.`,
  )
}

/** False when the server stops meanwhile. */
async function slept({ clock }: ApiContext, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}
