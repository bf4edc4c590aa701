import { isTerminal } from '@kyros/contract/run-status'
import type { SseStream } from '@kyros/kernel/sse'
import type { Store } from '@kyros/store/store'
import { stepOf } from './list-logs.ts'

const pageLines = 500

/**
 * Sends the log of a run, the id of each message the number of its line. After the last line of a run that has
 * ended comes `event: end`.
 */
export async function followLogs(
  stream: SseStream,
  store: Store,
  runId: string,
  step: string | undefined,
): Promise<void> {
  const position = { after: stream.after ?? 0 }
  const sendNew = async () => {
    // Asked before the lines are read: what was written before the end is then surely sent.
    const ended = await hasEnded(store, runId)
    await sendLines(stream, store, runId, position, step)
    if (ended) await stream.send({ event: 'end', data: {} })
    return ended
  }
  if (await sendNew()) return
  for await (const _hint of store.logs.changes(runId, stream.signal)) {
    if (await sendNew()) return
  }
}

async function sendLines(
  stream: SseStream,
  store: Store,
  runId: string,
  position: { after: number },
  step: string | undefined,
): Promise<void> {
  while (!stream.signal.aborted) {
    const options = { after: position.after, limit: pageLines, ...stepOf(step) }
    const lines = await store.logs.list(runId, options)
    for (const line of lines) {
      await stream.send({ id: line.line, data: line })
      position.after = line.line
    }
    if (lines.length < pageLines) return
  }
}

async function hasEnded(store: Store, runId: string): Promise<boolean> {
  const run = await store.runs.get(runId)
  return run === undefined || isTerminal(run.status)
}
