import { ApiError } from '@kyros/client/api-error'
import type { LogLine } from '@kyros/contract/run'
import { useEffect, useState } from 'react'
import { client } from '../../api/client.ts'
import { listPageSize } from '../../api/queries.ts'

export type RunLogs = { lines: readonly LogLine[]; isLoading: boolean; error: unknown; isCut: boolean }

/** More lines than this are not held in a browser; the oldest go first. */
const maxLines = 20_000
const showEveryMs = 80

const nothing: RunLogs = { lines: [], isLoading: true, error: null, isCut: false }

/** The log of a run: what there is, then line by line while it goes on. `turn` reads it anew. */
export function useRunLogs(runId: string, isLive: boolean, turn: number): RunLogs {
  const [logs, setLogs] = useState<RunLogs>(nothing)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn is a wish to read again.
  useEffect(() => {
    const stop = new AbortController()
    const show = (update: Partial<RunLogs>) =>
      stop.signal.aborted || setLogs((before) => ({ ...before, ...update }))
    setLogs(nothing)
    readLogs(runId, isLive, stop.signal, show).catch((error: unknown) => show({ error, isLoading: false }))
    return () => stop.abort()
  }, [runId, isLive, turn])
  return logs
}

async function readLogs(
  id: string,
  isLive: boolean,
  signal: AbortSignal,
  show: (logs: Partial<RunLogs>) => unknown,
) {
  const lines: LogLine[] = []
  let isCut = false
  const keep = (added: readonly LogLine[]) => {
    lines.push(...added)
    isCut ||= lines.length > maxLines
    if (lines.length > maxLines) lines.splice(0, lines.length - maxLines)
  }
  let cursor: string | undefined
  do {
    const page = await client.call('listRunLogs', {
      params: { id },
      query: { limit: listPageSize, cursor },
      signal,
    })
    keep(page.lines)
    cursor = page.next_cursor ?? undefined
    show({ lines: [...lines], isCut, isLoading: false })
  } while (cursor !== undefined)
  if (!isLive) return
  let isDue = false
  const query = { follow: true }
  for await (const message of client.stream('listRunLogs', {
    params: { id },
    query,
    after: lines.at(-1)?.line ?? 0,
    signal,
  })) {
    if (message.kind === 'reset') throw new ApiError(logsGone)
    keep([message.item])
    if (isDue) continue
    isDue = true
    setTimeout(() => {
      isDue = false
      show({ lines: [...lines], isCut })
    }, showEveryMs)
  }
}

const logsGone = {
  code: 'answer_unreadable',
  title: 'The log was cut',
  detail: 'Lines in between are no longer kept. Read it again.',
  status: 0,
} as const
