import type { AnalysisReport } from '@kyros/contract/analysis-report'
import { formatCount } from '../../../format/quantity.ts'

/** What was not looked at and why, and what looked at the rest. Nothing is left out in silence. */
export function Skipped({ report: { skipped, tools } }: { report: AnalysisReport }) {
  return (
    <section className="k-skipped">
      <h2>
        Not looked at <span className="k-faint k-number">{formatCount(skipped.length)}</span>
      </h2>
      {skipped.length === 0 ? (
        <p className="k-faint">Everything was looked at.</p>
      ) : (
        <ul>
          {skipped.map(({ area, what, why, count }) => (
            <li key={`${area} ${what} ${why}`}>
              <span className="k-skipped__what">{what}</span>
              {count !== undefined && count > 1 && (
                <span className="k-number">{` ×${formatCount(count)}`}</span>
              )}
              <span className="k-faint">{` ${area}: ${why}`}</span>
            </li>
          ))}
        </ul>
      )}
      <h2>Tools</h2>
      <ul>
        {tools.map(({ area, name, version, files }) => (
          <li key={`${area} ${name}`}>
            <span className="k-skipped__what">{`${name} ${version}`}</span>
            <span className="k-faint k-number">{` ${area}, ${formatCount(files)} files`}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
