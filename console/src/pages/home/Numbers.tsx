import { SkeletonText } from '@carbon/react'
import type { Stats } from '@kyros/contract/platform'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { formatDuration } from '../../format/duration.ts'
import { formatShare, formatShort } from '../../format/quantity.ts'
import { HourlyChart } from './HourlyChart.tsx'

/** The last 24 hours in four numbers, each the door to its list. */
export function Numbers({ stats }: { stats: Stats | undefined }) {
  const day = stats?.last_24h
  const running = stats?.runs.running ?? 0
  return (
    <section className="k-numbers" aria-label="The last 24 hours">
      <Figure
        name="Running now"
        q="status:running"
        value={stats === undefined ? undefined : formatShort(running)}
      >
        {`${formatShort((stats?.runs.pending ?? 0) + (stats?.runs.waiting ?? 0))} waiting`}
      </Figure>
      <Figure
        name="Success rate"
        q="since:24h"
        value={
          day === undefined ? undefined : day.success_rate === null ? '–' : formatShare(day.success_rate)
        }
      >
        {`${formatShort(day?.failed ?? 0)} of ${formatShort((day?.completed ?? 0) + (day?.failed ?? 0))} failed, 24 h`}
      </Figure>
      <Figure
        name="Duration, p95"
        q="status:completed since:24h"
        value={
          day === undefined
            ? undefined
            : day.p95_seconds === null
              ? '–'
              : formatDuration(day.p95_seconds * 1000)
        }
      >
        95 of 100 runs were faster
      </Figure>
      <Figure name="Ended per hour" q="since:24h" value={undefined} isChart>
        {day === undefined ? <SkeletonText /> : <HourlyChart hours={day.hourly} />}
      </Figure>
    </section>
  )
}

type FigureProps = {
  name: string
  q: string
  value: string | undefined
  isChart?: boolean
  children: ReactNode
}

function Figure({ name, q, value, isChart = false, children }: FigureProps) {
  return (
    <Link to="/runs" search={{ q }} className={isChart ? 'k-figure k-figure--chart' : 'k-figure'}>
      <span className="k-figure__name">{name}</span>
      {!isChart && (
        <span className="k-figure__value k-number">{value ?? <SkeletonText width="4rem" heading />}</span>
      )}
      <span className="k-figure__note k-number">{children}</span>
    </Link>
  )
}
