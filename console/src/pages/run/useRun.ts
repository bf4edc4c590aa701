import { isRunEvent } from '@kyros/contract/event'
import type { Run } from '@kyros/contract/run'
import { applyEvent } from '@kyros/contract/run-state'
import { isTerminal } from '@kyros/contract/run-status'
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { endsRun, type LoggedEvent, runEventsQuery, runQuery } from '../../api/queries.ts'
import { live, useLiveMessages } from '../../live/live.ts'

/** Events of one moment are folded together: a run with fifty parallel steps would redraw fifty times else. */
const foldEveryMs = 50

/** A run as it is now: read once, then moved by its own events. */
export function useRun(runId: string) {
  const queryClient = useQueryClient()
  const query = useQuery(runQuery(runId))
  const waiting = useRef<LoggedEvent[]>([])
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const isLive = query.data !== undefined && !isTerminal(query.data.status)

  useEffect(() => {
    if (!isLive) return
    const after = queryClient.getQueryData(runQuery(runId).queryKey)?.last_seq ?? 0
    return live.narrow({ kind: 'run', runId, after })
  }, [isLive, runId, queryClient])

  useLiveMessages((message) => {
    if (message.kind === 'reset' || message.event.run_id !== runId) return
    waiting.current.push(message.event)
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      foldInto(queryClient, runId, waiting.current.splice(0))
    }, foldEveryMs)
  })
  useEffect(() => () => clearTimeout(timer.current), [])
  return query
}

function foldInto(queryClient: QueryClient, runId: string, events: readonly LoggedEvent[]) {
  const { queryKey } = runQuery(runId)
  const run = queryClient.getQueryData(queryKey)
  if (run === undefined) return
  const folded = fold(run, events)
  if (folded === undefined) void queryClient.invalidateQueries({ queryKey, exact: true })
  else queryClient.setQueryData(queryKey, folded)
  appendEvents(queryClient, runId, events)
  if (events.some((event) => isRunEvent(event) && endsRun(event))) {
    void queryClient.invalidateQueries({ queryKey: ['run', runId, 'artifacts'] })
    void queryClient.invalidateQueries({ queryKey: ['runs', 'few'] })
  }
}

/** The run after these events; undefined when one before them was missed. */
function fold(run: Run, events: readonly LoggedEvent[]): Run | undefined {
  let folded = run
  for (const event of events) {
    if (!isRunEvent(event)) continue
    if (event.run_seq > folded.run_seq + 1) return undefined
    folded = applyEvent(folded, event)
  }
  return folded
}

function appendEvents(queryClient: QueryClient, runId: string, events: readonly LoggedEvent[]) {
  queryClient.setQueryData(runEventsQuery(runId).queryKey, (known) => {
    if (known === undefined) return undefined
    const last = known.at(-1)?.seq ?? 0
    return [...known, ...events.filter(({ seq }) => seq > last)]
  })
}
