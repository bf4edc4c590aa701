import { upsertSearchAttributes } from '@temporalio/workflow'
import { type RunSearch, searchPairs } from './search-attributes.ts'

/** Shows the cluster what it may see of attributes; what it may see was said when the run began, so a replay does the same. */
export function showAttributes(
  search: RunSearch | undefined,
  attributes: { readonly [name: string]: string | number | boolean },
  warn: (message: string) => void,
): void {
  if (search === undefined) return
  const { pairs, unfit } = searchPairs(search, attributes)
  if (pairs.length > 0) upsertSearchAttributes(pairs)
  if (unfit.length > 0)
    warn(
      `These attributes do not have the types of temporal.search_attributes, and are not shown to Temporal: ${unfit.join(', ')}.`,
    )
}
