import ChevronLeft from '@carbon/icons-react/es/ChevronLeft.js'
import ChevronRight from '@carbon/icons-react/es/ChevronRight.js'
import { Button, IconButton } from '@carbon/react'
import type { Run } from '@kyros/contract/run'
import { type CSSProperties, useId } from 'react'
import { formatCount } from '../../../format/quantity.ts'
import { formatClock, formatExact } from '../../../format/relative-time.ts'
import { ErrorState } from '../../../ui/PageState.tsx'
import { eventWords } from './past-run.ts'
import type { Moment } from './useMoment.ts'
import type { Past } from './usePast.ts'

type Props = { run: Run; moment: Moment; past: Past }

/** Moves the page through the events of the run; its right end is now. */
export function TimeSlider({ run, moment, past }: Props) {
  const id = useId()
  const last = run.run_seq
  const at = Math.min(moment.at ?? last, last)
  const moveTo = (next: number) => moment.moveTo(next >= last ? undefined : Math.max(1, next))
  const share = last > 1 ? ((at - 1) / (last - 1)) * 100 : 100
  const track: CSSProperties & { '--k-share': string } = { '--k-share': `${share}%` }
  return (
    <section
      className={past.kind === 'now' ? 'k-past' : 'k-past k-past--on'}
      aria-label="Time of the picture"
    >
      <div className="k-past__row">
        <label htmlFor={id} className="k-past__label">
          Time
        </label>
        <IconButton
          kind="ghost"
          size="sm"
          label="One event back"
          align="bottom"
          disabled={at <= 1}
          onClick={() => moveTo(at - 1)}
        >
          <ChevronLeft />
        </IconButton>
        <input
          id={id}
          className="k-past__range"
          type="range"
          min={1}
          max={last}
          value={at}
          style={track}
          aria-valuetext={valueText(past, at, last)}
          onChange={(event) => moveTo(event.target.valueAsNumber)}
        />
        <IconButton
          kind="ghost"
          size="sm"
          label="One event forward"
          align="bottom"
          disabled={at >= last}
          onClick={() => moveTo(at + 1)}
        >
          <ChevronRight />
        </IconButton>
        <Button
          kind="ghost"
          size="sm"
          disabled={moment.at === undefined}
          onClick={() => moment.moveTo(undefined)}
        >
          Now
        </Button>
      </div>
      <Where past={past} at={at} last={last} />
    </section>
  )
}

function Where({ past, at, last }: { past: Past; at: number; last: number }) {
  switch (past.kind) {
    case 'now':
      return null
    case 'loading':
      return <p className="k-past__where k-faint">Reading the events…</p>
    case 'failed':
      return <ErrorState error={past.error} onRetry={past.retry} isCompact />
    case 'unknown':
      return (
        <p className="k-past__where">{`The first ${formatCount(past.known)} events of this run can be looked at here.`}</p>
      )
    case 'past':
      return (
        <p className="k-past__where">
          <strong>{`As it was after event ${formatCount(at)} of ${formatCount(last)}`}</strong>
          <span className="k-number" title={formatExact(past.event.time)}>
            {formatClock(past.event.time, true)}
          </span>
          <span className="k-past__event">{eventWords(past.event)}</span>
        </p>
      )
  }
}

function valueText(past: Past, at: number, last: number): string {
  if (past.kind === 'now') return `Now, after event ${last}`
  if (past.kind !== 'past') return `Event ${at} of ${last}`
  return `Event ${at} of ${last}, ${eventWords(past.event)}, ${formatClock(past.event.time)}`
}
