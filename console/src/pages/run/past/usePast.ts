import type { Run } from '@kyros/contract/run'
import { useQuery } from '@tanstack/react-query'
import { useDeferredValue, useMemo } from 'react'
import { type LoggedEvent, maxEventsShown, runEventsQuery } from '../../../api/queries.ts'
import { pastRun } from './past-run.ts'

export type Past =
  | { kind: 'now' }
  | { kind: 'loading' }
  | { kind: 'failed'; error: unknown; retry: () => void }
  /** The log no longer has these events, or has more than a browser holds. */
  | { kind: 'unknown'; known: number }
  | { kind: 'past'; run: Run; event: LoggedEvent; events: readonly LoggedEvent[] }

/** The run as it was after its first `at` events, folded from them here. */
export function usePast(run: Run, at: number | undefined): Past {
  const isPast = at !== undefined && at < run.run_seq
  const { data: events, error, refetch } = useQuery({ ...runEventsQuery(run.id), enabled: isPast })
  // Folding a long history takes longer than a slider's step: the picture may lag behind the thumb.
  const shownAt = useDeferredValue(at)
  const past = useMemo(() => {
    if (shownAt === undefined || events === undefined) return undefined
    const event = events[shownAt - 1]
    return event?.run_seq === shownAt ? { run: pastRun(run, events, shownAt), event } : undefined
  }, [run, events, shownAt])
  if (!isPast) return { kind: 'now' }
  if (events === undefined) {
    return error === null ? { kind: 'loading' } : { kind: 'failed', error, retry: () => void refetch() }
  }
  if (past === undefined) return { kind: 'unknown', known: Math.min(events.length, maxEventsShown) }
  return { kind: 'past', ...past, events }
}
