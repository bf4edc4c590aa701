import type { Run } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { formatDuration } from '../../format/duration.ts'
import { useNowMs } from '../../live/useNow.ts'
import { EmptyState } from '../../ui/PageState.tsx'
import { StatusLabel, words } from '../../ui/StatusLabel.tsx'
import {
  type Lane,
  type Timeline as Layout,
  positionOf,
  type Segment,
  timelineLayout,
} from './timeline-layout.ts'

type Props = { run: Run; selectedKey: string | undefined; onSelect: (key: string) => void }

/** Steps and their tries over time. */
export function Timeline(props: Props) {
  return isTerminal(props.run.status) ? <Lanes {...props} nowMs={0} /> : <MovingLanes {...props} />
}

function MovingLanes(props: Props) {
  return <Lanes {...props} nowMs={useNowMs()} />
}

function Lanes({ run, selectedKey, onSelect, nowMs }: Props & { nowMs: number }) {
  if (run.steps.length === 0) {
    return (
      <EmptyState title="No step has begun yet">
        Steps appear here as the workflow asks for them, with every try and every wait.
      </EmptyState>
    )
  }
  // Events may be a little ahead of this clock; a picture that ended before them would cut them off.
  const layout = timelineLayout(run, Math.max(nowMs, Date.parse(run.created_at)))
  return (
    <div className="k-timeline">
      <div className="k-timeline__scale" aria-hidden="true">
        {layout.ticks.map(({ atMs, offsetMs }) => (
          <span key={offsetMs} style={{ insetInlineStart: `${positionOf(layout, atMs)}%` }}>
            {offsetMs === 0 ? '0' : formatDuration(offsetMs)}
          </span>
        ))}
      </div>
      <ol className="k-timeline__lanes">
        {layout.lanes.map((lane) => (
          <TimelineLane
            key={lane.step.key}
            lane={lane}
            layout={layout}
            isSelected={lane.step.key === selectedKey}
            onSelect={onSelect}
          />
        ))}
      </ol>
      <Legend />
    </div>
  )
}

type LaneProps = { lane: Lane; layout: Layout; isSelected: boolean; onSelect: (key: string) => void }

function TimelineLane({ lane, layout, isSelected, onSelect }: LaneProps) {
  const { step, segments, durationMs } = lane
  const tries = step.attempts.length
  return (
    <li>
      <button type="button" className="k-lane" aria-pressed={isSelected} onClick={() => onSelect(step.key)}>
        <span className="k-lane__label">
          <StatusLabel status={step.status} isIconOnly />
          <span className="k-lane__name" title={step.name}>
            {step.name}
          </span>
          {tries > 1 && <span className="k-lane__tries">{`${tries} tries`}</span>}
          <span className="k-lane__duration k-number">{formatDuration(durationMs)}</span>
        </span>
        <span className="k-lane__track">
          {layout.ticks.map(({ atMs, offsetMs }) => (
            <span
              key={offsetMs}
              className="k-lane__tick"
              style={{ insetInlineStart: `${positionOf(layout, atMs)}%` }}
            />
          ))}
          {segments.map((segment) => (
            <LaneSegment key={segment.key} segment={segment} layout={layout} />
          ))}
        </span>
      </button>
    </li>
  )
}

function LaneSegment({ segment, layout }: { segment: Segment; layout: Layout }) {
  const left = positionOf(layout, segment.fromMs)
  const width = positionOf(layout, segment.toMs) - left
  return (
    <span
      className={`k-segment k-segment--${segment.kind} k-segment--${segment.status}`}
      style={{ insetInlineStart: `${left}%`, inlineSize: `max(3px, ${width}%)` }}
      title={describe(segment)}
    />
  )
}

function describe({ kind, status, attempt, fromMs, toMs }: Segment): string {
  const length = formatDuration(toMs - fromMs)
  if (kind === 'attempt') return `Try ${attempt}: ${words(status)}, ${length}`
  if (kind === 'timer') return `Timer, ${length}`
  return kind === 'queued' ? `Waited to begin, ${length}` : `Waited to try again, ${length}`
}

function Legend() {
  return (
    <p className="k-timeline__legend" aria-hidden="true">
      <span className="k-segment k-segment--attempt k-segment--completed" /> done
      <span className="k-segment k-segment--attempt k-segment--running" /> running
      <span className="k-segment k-segment--attempt k-segment--failed" /> failed
      <span className="k-segment k-segment--backoff" /> waiting
    </p>
  )
}
