import type { AreaScore } from '@kyros/contract/analysis-report'
import type { AnalysisArea, RunAnalysisOutput, SeverityCounts } from '@kyros/workflows/code-analysis/steps'
import { counted } from './quantity.ts'

/** How much a finding weighs. Notes (info) weigh nothing. */
const weights = { critical: 40, high: 12, medium: 4, low: 1 } as const

/** The weighted findings per 1,000 lines at which an area falls to 100/e, about 37. */
const scales: { readonly [area in AnalysisArea]: number } = { static: 20, security: 8, performance: 12 }

/** However large the repository, one such finding must not drown in it. */
const ceilings = { critical: 50, high: 85 } as const

const minLines = 1_000

/** Deterministic: counts in, one number with one decimal out. */
export function scoreArea(area: AnalysisArea, counts: SeverityCounts, lines: number): AreaScore {
  const weighted =
    weights.critical * counts.critical +
    weights.high * counts.high +
    weights.medium * counts.medium +
    weights.low * counts.low
  const thousandLines = Math.max(minLines, lines) / 1_000
  const raw = 100 * Math.exp(-weighted / thousandLines / scales[area])
  const ceiling = counts.critical > 0 ? ceilings.critical : counts.high > 0 ? ceilings.high : 100
  return {
    score: oneDecimal(Math.min(raw, ceiling)),
    formula: `100 × e^(−d ÷ ${scales[area]}), where d = (${weights.critical}·critical + ${weights.high}·high + ${weights.medium}·medium + ${weights.low}·low) ÷ thousand lines of code (at least 1); at most ${ceilings.critical} with a critical finding, ${ceilings.high} with a high one`,
    inputs: {
      critical: counts.critical,
      high: counts.high,
      medium: counts.medium,
      low: counts.low,
      lines,
      weighted,
      per_thousand_lines: Math.round((weighted / thousandLines) * 100) / 100,
    },
  }
}

/** The score of an area, or why it has none: without a file that was looked at, no finding means nothing. */
export function scoreAnalysis(analysis: RunAnalysisOutput): AreaScore {
  const { area, counts, metrics, ran, files_left_out: leftOut = 0 } = analysis
  const scored = scoreArea(area, counts, metrics.lines ?? 0)
  if (ran.some(({ files }) => files > 0)) return scored
  const why =
    leftOut > 0
      ? `The analyzers crashed on ${counted(leftOut, 'file')} or took too long, and no other file is of a kind they know.`
      : 'None of the files that were read is of a kind that this area analyses.'
  return { ...scored, score: null, why }
}

/** The mean of the areas that have a score. */
export function scoreOverall(scores: readonly { area: AnalysisArea; score: number | null }[]): AreaScore {
  const known = scores.flatMap(({ area, score }) => (score === null ? [] : [{ area, score }]))
  if (known.length === 0) {
    const formula = `mean of ${scores.map(({ area }) => area).join(', ')}`
    return { score: null, why: 'No area could be analysed.', formula, inputs: {} }
  }
  const mean = known.reduce((sum, { score }) => sum + score, 0) / known.length
  return {
    score: oneDecimal(mean),
    formula: `mean of ${known.map(({ area }) => area).join(', ')}`,
    inputs: Object.fromEntries(known.map(({ area, score }) => [area, score])),
  }
}

export function addCounts(analyses: readonly RunAnalysisOutput[]): SeverityCounts {
  const total: SeverityCounts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 }
  for (const { counts } of analyses) {
    total.critical += counts.critical
    total.high += counts.high
    total.medium += counts.medium
    total.low += counts.low
    total.info += counts.info
  }
  return total
}

function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10
}
