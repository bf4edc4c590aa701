import type { AnalysisReport, AreaScore } from '@kyros/contract/analysis-report'
import { words } from '../../../ui/StatusLabel.tsx'
import { formatScore, gradeOf } from './report-model.ts'

const order = ['overall', 'static', 'security', 'performance'] as const

/** The scores with how they come about: a number that nobody can check is worth nothing. */
export function Scores({ report }: { report: AnalysisReport }) {
  return (
    <section className="k-scores" aria-label="Scores">
      {order.map((area) => {
        const score = report.scores[area]
        return score === undefined ? null : <Score key={area} name={area} score={score} />
      })}
    </section>
  )
}

/** Nothing was looked at, which is neither good nor bad. */
function NoScore({ name, why }: { name: string; why: string | undefined }) {
  return (
    <div className="k-score">
      <h3>{words(name)}</h3>
      <p className="k-score__number">
        <span className="k-score__word">not scored</span>
      </p>
      {why !== undefined && <p className="k-faint">{why}</p>}
    </div>
  )
}

function Score({ name, score }: { name: string; score: AreaScore }) {
  if (score.score === null) return <NoScore name={name} why={score.why} />
  const { word, tone } = gradeOf(score.score)
  return (
    <div className={`k-score k-score--${tone}`}>
      <h3>{words(name)}</h3>
      <p className="k-score__number">
        <span className="k-number">{formatScore(score.score)}</span>
        <span className="k-faint">/100</span>
        <span className="k-score__word">{word}</span>
      </p>
      <div className="k-score__track" aria-hidden="true">
        <span style={{ inlineSize: `${score.score}%` }} />
      </div>
      <details>
        <summary>How it is computed</summary>
        <p className="k-score__formula">{score.formula}</p>
        <dl>
          {Object.entries(score.inputs).map(([input, value]) => (
            <div key={input}>
              <dt>{words(input)}</dt>
              <dd className="k-number">{Number.isInteger(value) ? value : value.toFixed(2)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  )
}
