import type { BulkResult } from '@kyros/contract/job'
import { client } from '../api/client.ts'
import { listPageSize } from '../api/queries.ts'
import { plural } from '../format/quantity.ts'
import { toastDone, toastFailed } from '../ui/toasts.tsx'

export type BulkAction = 'cancel' | 'retry' | 'pause' | 'resume'

type Bulk = { action: BulkAction; runIds: readonly string[]; noun: string }

const done = { cancel: 'cancelled', retry: 'started again', pause: 'paused', resume: 'resumed' }

/** Does one thing to many runs; says how many it was done to and keeps the first failure in sight. */
export async function actOnRuns({ action, runIds, noun }: Bulk): Promise<void> {
  const results: BulkResult[] = []
  try {
    // The API takes as many at once as a page of a list holds.
    for (let from = 0; from < runIds.length; from += listPageSize) {
      const ids = runIds.slice(from, from + listPageSize)
      results.push(...(await client.call('bulkRuns', { body: { action, ids } })).results)
    }
  } catch (error) {
    toastFailed(`${plural(runIds.length - results.length, noun)} not ${done[action]}`, error)
  }
  const failures = results.filter(({ ok }) => !ok)
  const succeeded = results.length - failures.length
  if (succeeded > 0) toastDone(`${plural(succeeded, noun)} ${done[action]}`)
  if (failures.length > 0)
    toastFailed(`${plural(failures.length, noun)} not ${done[action]}`, new Error(failures[0]?.detail))
}
