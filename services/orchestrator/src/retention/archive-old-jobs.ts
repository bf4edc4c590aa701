import { problem } from '@kyros/contract/problem'
import type { Retained } from '@kyros/store/store'
import type { ApiContext } from '../context.ts'

/** Jobs that one call looks at: a few seconds of work, between which others write. */
const jobsAtOnce = 200

/**
 * Archives the oldest jobs whose runs ended longer ago than `olderThanMs` and takes them out of the database; the
 * archive is on disk before anything is removed. Call it again while `hasMore`. @throws archive_unavailable
 */
export function archiveOldJobs(
  { store, clock, archiveDir }: ApiContext,
  olderThanMs: number,
): Promise<Retained> {
  if (archiveDir === undefined) {
    throw problem('archive_unavailable', {
      detail: 'Set retention.archive_dir to a directory of the server and start it again.',
    })
  }
  return store.retention.run({ olderThanMs, nowMs: clock.nowMs(), archiveDir, limit: jobsAtOnce })
}
