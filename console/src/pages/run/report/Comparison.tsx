import { Link } from '@tanstack/react-router'
import { formatCount } from '../../../format/quantity.ts'
import { TimeText } from '../../../ui/TimeText.tsx'
import { formatChange, type ReportComparison, type ScoreChange } from './compare-reports.ts'
import type { PreviousReport } from './previous-report.ts'
import { formatScore } from './report-model.ts'

type Props = { previous: PreviousReport; comparison: ReportComparison }

/** How the scores changed since the last run on the same place; the findings are compared by their filter. */
export function Comparison({ previous: { run, report }, comparison }: Props) {
  const { scores, leftOut, isPartial, findings } = comparison
  return (
    <section className="k-comparison" aria-label="Compared with the last run">
      <p>
        {'Compared with '}
        <Link
          className="k-comparison__link"
          to="/runs/$runId"
          params={{ runId: run.id }}
          search={{ tab: 'report' }}
        >
          the last run here
        </Link>{' '}
        <span className="k-faint">
          <TimeText time={run.created_at} />
          {' at '}
          <code title={report.commit}>{report.commit.slice(0, 12)}</code>
        </span>
        {': '}
        <strong className="k-number">{`${formatCount(findings.new.length)} new, ${formatCount(findings.fixed.length)} fixed`}</strong>
        <span className="k-number">{`, ${formatCount(findings.unchanged.length)} unchanged.`}</span>
      </p>
      <ul className="k-comparison__scores">
        {scores.map((change) => (
          <ScoreItem key={change.area} change={change} />
        ))}
      </ul>
      {leftOut.length > 0 && (
        <p className="k-faint">{`Not compared, because only one of the two looked at it: ${leftOut.join(', ')}.`}</p>
      )}
      {isPartial && (
        <p className="k-faint">
          Only the most severe findings are listed, so that some may count as new or fixed that were beyond
          the end of a list.
        </p>
      )}
    </section>
  )
}

function ScoreItem({ change }: { change: ScoreChange }) {
  const { area, before, now } = change
  return (
    <li className="k-number">
      <span className="k-faint">{`${area} `}</span>
      {`${formatScore(before)} → ${formatScore(now)} `}
      <span className={`k-comparison__change k-comparison__change--${toneOf(change)}`}>
        {formatChange(change)}
      </span>
    </li>
  )
}

function toneOf({ before, now }: ScoreChange): string {
  if (formatChange({ before, now }) === '±0') return 'same'
  return now > before ? 'better' : 'worse'
}
