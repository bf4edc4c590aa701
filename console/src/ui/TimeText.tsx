import { elapsedMs, formatDuration } from '../format/duration.ts'
import { formatExact, formatRelative } from '../format/relative-time.ts'
import { useNowMs, useSlowNowMs } from '../live/useNow.ts'

/** A relative time with the exact one on hover. */
export function TimeText({ time }: { time: string | null }) {
  const nowMs = useSlowNowMs()
  if (time === null) return <span className="k-faint">–</span>
  return (
    <time className="k-number" dateTime={time} title={formatExact(time)}>
      {formatRelative(time, Math.max(nowMs, Date.now() - 10_000))}
    </time>
  )
}

type Timed = { started_at: string | null; completed_at: string | null }

/** How long something took; ticks while it goes on. */
export function DurationText({ of }: { of: Timed }) {
  if (of.started_at === null) return <span className="k-faint">–</span>
  if (of.completed_at === null) return <TickingDuration of={of} />
  return <span className="k-number">{formatDuration(elapsedMs(of, 0) ?? 0)}</span>
}

function TickingDuration({ of }: { of: Timed }) {
  const ms = elapsedMs(of, useNowMs()) ?? 0
  // A whole second at a time: tenths that jump by ten only look like noise.
  return <span className="k-number">{formatDuration(Math.floor(ms / 1000) * 1000)}</span>
}
