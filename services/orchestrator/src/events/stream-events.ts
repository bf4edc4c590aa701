import type { Role } from '@kyros/contract/auth'
import { type Event, mayReadEvent } from '@kyros/contract/event'
import type { SseMessage, SseStream } from '@kyros/kernel/sse'
import type { FollowOptions, Store } from '@kyros/store/store'

// A stream ends after this time and its reader comes back: so that rights which were withdrawn end with it.
export const maxStreamMs = 30 * 60_000

/**
 * Follows the log until the reader leaves. A reader that does not say where to go on gets what comes from now on,
 * or all from `startAfter`. A number that the log has not reached belongs to another log (the data were
 * replaced): the reader gets a `reset`, as for numbers that are no longer kept.
 * What `role` may not read is left out.
 */
export async function streamEvents(
  stream: SseStream,
  store: Store,
  role: Role,
  filter: Omit<FollowOptions, 'after'>,
  startAfter?: number,
): Promise<void> {
  const signal = AbortSignal.any([stream.signal, AbortSignal.timeout(maxStreamMs)])
  const head = await store.events.head()
  const wanted = stream.after ?? startAfter ?? head
  if (wanted > head) await stream.send(resetMessage(head))
  for await (const batch of store.events.follow({ ...filter, after: Math.min(wanted, head) }, signal)) {
    if ('reset' in batch) await stream.send(resetMessage(batch.reset.from))
    else
      for (const event of batch.events) if (mayReadEvent(role, event)) await stream.send(eventMessage(event))
    if (signal.aborted) return
  }
}

const backlogPage = 200

/** Sends the log up to its present end, then no more. */
export async function streamBacklog(stream: SseStream, store: Store, role: Role): Promise<void> {
  const head = await store.events.head()
  let last = stream.after ?? 0
  while (last < head && !stream.signal.aborted) {
    const { items } = await store.events.list({ after: last, limit: backlogPage })
    if (items.length === 0) return
    for (const event of items) {
      if (event.seq <= head && mayReadEvent(role, event)) await stream.send(eventMessage(event))
      last = event.seq
    }
  }
}

/** Without an `event` name, so that `EventSource.onmessage` hears every type. */
function eventMessage(event: Event): SseMessage {
  return { id: event.seq, data: event }
}

/** Says that what was asked for is gone: the reader reads the state anew and goes on after `from`. */
function resetMessage(from: number): SseMessage {
  return { id: from, event: 'reset', data: { from } }
}
