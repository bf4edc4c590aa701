import { type Event, isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Store } from '@kyros/store/store'

const firstPage = 200
const laterPages = 1_000

type Until = { seq?: number; runSeq?: number }

/** The events of a run in pieces, up to a moment: a long history is never in memory as a whole. */
export async function* readRunEvents(
  store: Store,
  runId: string,
  until: Until = {},
  afterRunSeq = 0,
): AsyncGenerator<Event[]> {
  const { seq = Number.POSITIVE_INFINITY, runSeq = Number.POSITIVE_INFINITY } = until
  let after = afterRunSeq
  for (let limit = firstPage; ; limit = laterPages) {
    const page = await store.events.ofRun(runId, after, limit)
    const wanted = page.filter((event) => event.seq <= seq && (event.run_seq ?? 0) <= runSeq)
    if (wanted.length > 0) yield wanted
    after = page.at(-1)?.run_seq ?? after
    if (page.length < limit || wanted.length < page.length) return
  }
}

/** The same, narrowed to what the fold knows. */
export async function* readFoldable(
  store: Store,
  runId: string,
  until: Until,
  afterRunSeq = 0,
): AsyncGenerator<RunEvent[]> {
  for await (const page of readRunEvents(store, runId, until, afterRunSeq)) {
    yield page.flatMap((event): RunEvent[] => {
      const known: { type: string; run_id?: string; run_seq?: number } = event
      return isRunEvent(known) ? [known] : []
    })
  }
}
