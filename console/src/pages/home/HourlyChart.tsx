import type { Stats } from '@kyros/contract/platform'
import { plural } from '../../format/quantity.ts'

type Hour = Stats['last_24h']['hourly'][number]

const widthPx = 288
const heightPx = 56
const gapPx = 2
const leastBarPx = 2

/** Runs that ended in each hour: completed below, failed on top. The words say the same for who cannot see it. */
export function HourlyChart({ hours }: { hours: readonly Hour[] }) {
  const most = Math.max(1, ...hours.map(({ completed, failed }) => completed + failed))
  const barPx = widthPx / Math.max(1, hours.length)
  const total = hours.reduce((sum, { completed, failed }) => sum + completed + failed, 0)
  const scale = (count: number) => (count === 0 ? 0 : Math.max(leastBarPx, (count / most) * heightPx))
  return (
    <svg
      className="k-chart"
      viewBox={`0 0 ${widthPx} ${heightPx}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${plural(total, 'run')} ended in the last 24 hours, at most ${most} in one hour`}
    >
      <line x1="0" x2={widthPx} y1={heightPx - 0.5} y2={heightPx - 0.5} className="k-chart__base" />
      {hours.map(({ hour, completed, failed }, index) => {
        const completedPx = scale(completed)
        const failedPx = scale(failed)
        const bar = { x: index * barPx + gapPx / 2, width: barPx - gapPx }
        return (
          <g key={hour}>
            <title>{`${clockOf(hour)}: ${completed} completed, ${failed} failed`}</title>
            <rect x={bar.x} width={bar.width} y={0} height={heightPx} className="k-chart__hit" />
            <rect {...bar} y={heightPx - completedPx} height={completedPx} className="k-chart__completed" />
            <rect
              {...bar}
              y={heightPx - completedPx - failedPx}
              height={failedPx}
              className="k-chart__failed"
            />
          </g>
        )
      })}
    </svg>
  )
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

function clockOf(hour: string): string {
  const date = new Date(hour)
  return Number.isNaN(date.getTime()) ? hour : clock.format(date)
}
