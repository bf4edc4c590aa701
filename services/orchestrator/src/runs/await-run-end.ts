import { isRunEnd } from '@kyros/contract/event'
import { isTerminal } from '@kyros/contract/run-status'
import type { ApiContext } from '../context.ts'

/** True when the run has ended or ends within `timeoutMs`; follows the log instead of asking again and again. */
export async function awaitRunEnd(
  { store, clock }: Pick<ApiContext, 'store' | 'clock'>,
  runId: string,
  timeoutMs: number,
): Promise<boolean> {
  const run = await store.runs.get(runId)
  if (run === undefined || isTerminal(run.status)) return true
  const stop = new AbortController()
  const timeout = clock.sleep(timeoutMs, stop.signal).then(
    () => stop.abort(),
    () => {},
  )
  try {
    for await (const batch of store.events.follow({ runId, after: run.last_seq }, stop.signal)) {
      if ('reset' in batch || batch.events.some(({ type }) => isRunEnd(type))) break
    }
  } finally {
    stop.abort()
    await timeout
  }
  const after = await store.runs.get(runId)
  return after === undefined || isTerminal(after.status)
}
