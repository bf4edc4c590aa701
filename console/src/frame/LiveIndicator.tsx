import { formatDuration } from '../format/duration.ts'
import { formatClock } from '../format/relative-time.ts'
import { useLiveState } from '../live/live.ts'
import type { LiveState } from '../live/live-stream.ts'
import { useWallClockMs } from '../live/useNow.ts'

const words = {
  connecting: 'Connecting',
  connected: 'Live',
  catching_up: 'Catching up',
  offline: 'Offline',
  paused: 'Paused',
  refused: 'Not live',
} as const satisfies Record<LiveState['kind'], string>

/** Whether what is on the screen follows the server. */
export function LiveIndicator() {
  const { kind } = useLiveState()
  return (
    <span className={`k-live k-live--${kind}`} role="status">
      <span className="k-live__dot" aria-hidden="true" />
      {words[kind]}
    </span>
  )
}

/** Says that the picture is old, and since when; nothing while it is not. */
export function StaleBanner() {
  const state = useLiveState()
  if (state.kind === 'offline') return <OfflineBanner sinceMs={state.sinceMs} />
  if (state.kind !== 'refused') return null
  return (
    <p className="k-stale" role="alert">
      <strong>{state.title}.</strong> {state.detail} What you see does not change by itself; reload the page.
    </p>
  )
}

function OfflineBanner({ sinceMs }: { sinceMs: number }) {
  const nowMs = useWallClockMs()
  const since = formatClock(new Date(sinceMs).toISOString())
  return (
    <p className="k-stale" role="alert">
      <strong>The server cannot be reached.</strong> What you see is the state of {since},{' '}
      {formatDuration(Math.max(1_000, Math.floor((nowMs - sinceMs) / 1000) * 1000))} ago. Trying again…
    </p>
  )
}
