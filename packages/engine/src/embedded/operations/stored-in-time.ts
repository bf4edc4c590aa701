import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { EngineParts } from '../engine-parts.ts'
import { takeIn } from '../payload.ts'
import { isInTime } from '../wait-limit.ts'

const longestMs = 10_000

/**
 * What goes into an event for somebody who waits: the engine's blobs try again for as long as an outage lasts, and
 * nobody outside waits for that. @throws body_too_large above 1 MB, store_unavailable
 */
export async function storedInTime(
  { store, clock }: Pick<EngineParts, 'store' | 'clock'>,
  runId: string,
  payload: Json,
  what: string,
): Promise<Json> {
  const storing = takeIn(payload, what, store.blobs)
  if (await isInTime(storing, clock, longestMs)) return storing
  const detail = `${what} for the run ${runId} could not be stored in time. Nothing was done; ask again.`
  throw problem('store_unavailable', { detail, retryAfterSeconds: 1 })
}
