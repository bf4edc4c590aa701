import ZoomIn from '@carbon/icons-react/es/ZoomIn.js'
import ZoomOut from '@carbon/icons-react/es/ZoomOut.js'
import { Button, IconButton } from '@carbon/react'
import type { Run } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import type { CSSProperties } from 'react'
import { formatDuration } from '../../format/duration.ts'
import { formatCount } from '../../format/quantity.ts'
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
import { maxZoom, useZoom } from './useZoom.ts'

type Props = {
  run: Run
  selectedKey: string | undefined
  onSelect: (key: string) => void
  /** The past moment that `run` is of, and the run of now, whose time the picture keeps. */
  moment: { atMs: number; present: Run } | undefined
}

/** Steps and their tries over time. */
export function Timeline(props: Props) {
  if (props.moment !== undefined) return <Lanes {...props} nowMs={props.moment.atMs} />
  return isTerminal(props.run.status) ? <Lanes {...props} nowMs={0} /> : <MovingLanes {...props} />
}

function MovingLanes(props: Props) {
  return <Lanes {...props} nowMs={useNowMs()} />
}

function Lanes(props: Props & { nowMs: number }) {
  const { run } = props
  if (run.steps.length === 0) {
    return (
      <EmptyState title="No step has begun yet">
        Steps appear here as the workflow asks for them, with every try and every wait.
      </EmptyState>
    )
  }
  return (
    <>
      {run.steps_omitted !== undefined && (
        <p className="k-notice">{`${formatCount(run.steps_omitted)} earlier steps are not shown; the events have them all.`}</p>
      )}
      <Picture {...props} />
    </>
  )
}

function Picture({ run, selectedKey, onSelect, nowMs, moment }: Props & { nowMs: number }) {
  const isMoving = moment === undefined && !isTerminal(run.status)
  const { window, zoom, zoomBy, fit } = useZoom(isMoving, labelWidthPx)
  // Events may be a little ahead of this clock; a picture that ended before them would cut them off.
  const endMs = Math.max(nowMs, Date.parse(run.created_at))
  const layout = timelineLayout(run, endMs, zoom, moment?.present)
  const plane: CSSProperties & { '--k-zoom': number } = { '--k-zoom': zoom }
  return (
    <div className="k-timeline">
      <div className="k-timeline__window" ref={window}>
        <div className="k-timeline__plane" style={plane}>
          <div className="k-timeline__scale" aria-hidden="true">
            <span className="k-timeline__cover" />
            <span className="k-timeline__marks">
              {layout.ticks.map(({ atMs, offsetMs }) => (
                <span key={offsetMs} style={{ insetInlineStart: `${positionOf(layout, atMs)}%` }}>
                  {offsetMs === 0 ? '0' : formatDuration(offsetMs)}
                </span>
              ))}
            </span>
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
          <div className="k-timeline__grid" aria-hidden="true">
            {layout.ticks.map(({ atMs, offsetMs }) => (
              <span key={offsetMs} style={{ insetInlineStart: `${positionOf(layout, atMs)}%` }} />
            ))}
            {moment !== undefined && (
              <span
                className="k-timeline__moment"
                style={{ insetInlineStart: `${positionOf(layout, moment.atMs)}%` }}
              />
            )}
          </div>
        </div>
      </div>
      <div className="k-timeline__foot">
        <Legend hasCutOff={layout.lanes.some(isCutOff)} />
        <ZoomButtons zoom={zoom} zoomBy={zoomBy} fit={fit} />
      </div>
    </div>
  )
}

function labelWidthPx(window: HTMLElement): number {
  return window.querySelector('.k-timeline__cover')?.getBoundingClientRect().width ?? 0
}

type ZoomProps = { zoom: number; zoomBy: (factor: number) => void; fit: () => void }

function ZoomButtons({ zoom, zoomBy, fit }: ZoomProps) {
  return (
    <fieldset className="k-timeline__zoom">
      <legend className="k-hidden">Zoom of the timeline</legend>
      <span className="k-faint k-timeline__hint">Ctrl and wheel</span>
      <IconButton
        kind="ghost"
        size="sm"
        align="top"
        label="Zoom out"
        disabled={zoom <= 1}
        onClick={() => zoomBy(1 / 2)}
      >
        <ZoomOut />
      </IconButton>
      <IconButton
        kind="ghost"
        size="sm"
        align="top"
        label="Zoom in"
        disabled={zoom >= maxZoom}
        onClick={() => zoomBy(2)}
      >
        <ZoomIn />
      </IconButton>
      <Button kind="ghost" size="sm" disabled={zoom === 1} onClick={fit}>
        Fit
      </Button>
    </fieldset>
  )
}

function isCutOff({ segments }: Lane): boolean {
  return segments.some(({ kind }) => kind === 'cut_off')
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
          {isCutOff(lane) && <span className="k-lane__cut">cut off, started again</span>}
        </span>
        <span className="k-lane__track">
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
  if (kind === 'cut_off')
    return `Try ${attempt}: cut off when the server stopped, started again after ${length}`
  if (kind === 'timer' || kind === 'waitpoint' || kind === 'child') return `${words(kind)}, ${length}`
  return kind === 'queued' ? `Waited to begin, ${length}` : `Waited to try again, ${length}`
}

function Legend({ hasCutOff }: { hasCutOff: boolean }) {
  return (
    <p className="k-timeline__legend" aria-hidden="true">
      <span className="k-segment k-segment--attempt k-segment--completed" /> done
      <span className="k-segment k-segment--attempt k-segment--running" /> running
      <span className="k-segment k-segment--attempt k-segment--failed" /> failed
      <span className="k-segment k-segment--backoff" /> waiting
      {hasCutOff && (
        <>
          <span className="k-segment k-segment--cut_off" /> cut off
        </>
      )}
    </p>
  )
}
