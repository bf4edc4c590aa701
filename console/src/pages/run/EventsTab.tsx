import { Search } from '@carbon/react'
import { useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useDeferredValue, useMemo, useRef, useState } from 'react'
import { type LoggedEvent, maxEventsShown, runEventsQuery } from '../../api/queries.ts'
import { formatCount } from '../../format/quantity.ts'
import { formatClock, formatExact } from '../../format/relative-time.ts'
import { JsonView } from '../../ui/JsonView.tsx'
import { EmptyState, ErrorState, LoadingLines } from '../../ui/PageState.tsx'
import { aboutEvent } from './past/past-run.ts'

const rowHeightPx = 36

/** Every fact of the run, in order. */
export function EventsTab({ runId }: { runId: string }) {
  const { data, error, isPending, refetch } = useQuery(runEventsQuery(runId))
  const [text, setText] = useState('')
  const query = useDeferredValue(text.trim().toLowerCase())
  const events = useMemo(() => (data ?? []).filter((event) => includes(event, query)), [data, query])
  if (isPending) return <LoadingLines lines={8} label="Loading the events" />
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />
  return (
    <div className="k-tab-body">
      <div className="k-toolbar">
        <Search
          size="sm"
          labelText="Search the events"
          placeholder="Type, step or anything in the data"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <span className="k-faint k-number">
          {query === ''
            ? formatCount(data.length)
            : `${formatCount(events.length)} of ${formatCount(data.length)}`}{' '}
          events
        </span>
      </div>
      {data.length >= maxEventsShown && (
        <p className="k-notice">{`Only the first ${formatCount(maxEventsShown)} events are shown; kyros runs events has them all.`}</p>
      )}
      {events.length === 0 ? (
        <EmptyState title="No event fits">No event of this run contains these words.</EmptyState>
      ) : (
        <EventList events={events} />
      )}
    </div>
  )
}

function EventList({ events }: { events: readonly LoggedEvent[] }) {
  const scroller = useRef<HTMLDivElement>(null)
  const [openSeq, setOpenSeq] = useState<number | undefined>(undefined)
  const virtualizer = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeightPx,
    overscan: 20,
    getItemKey: (index) => events[index]?.seq ?? index,
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse.
    <section className="k-scroll" ref={scroller} tabIndex={0} aria-label="Events">
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {virtualizer.getVirtualItems().map(({ index, start, key }) => {
          const event = events[index]
          if (event === undefined) return null
          return (
            <div
              key={key}
              ref={virtualizer.measureElement}
              data-index={index}
              className="k-event"
              style={{ transform: `translateY(${start}px)` }}
            >
              <EventRow
                event={event}
                isOpen={event.seq === openSeq}
                onToggle={() => setOpenSeq(event.seq === openSeq ? undefined : event.seq)}
              />
            </div>
          )
        })}
      </div>
    </section>
  )
}

type RowProps = { event: LoggedEvent; isOpen: boolean; onToggle: () => void }

function EventRow({ event, isOpen, onToggle }: RowProps) {
  return (
    <>
      <button type="button" className="k-event__row" aria-expanded={isOpen} onClick={onToggle}>
        <span className="k-event__seq k-number">{event.run_seq ?? event.seq}</span>
        <span className="k-event__time k-number" title={formatExact(event.time)}>
          {formatClock(event.time, true)}
        </span>
        <span className="k-event__type">{event.type}</span>
        <span className="k-event__about">{aboutEvent(event.data).join(' · ')}</span>
      </button>
      {isOpen && (
        <div className="k-event__data">
          <JsonView value={event} label="the event" />
        </div>
      )}
    </>
  )
}

function includes(event: LoggedEvent, query: string): boolean {
  if (query === '') return true
  return `${event.type} ${JSON.stringify(event.data)}`.toLowerCase().includes(query)
}
