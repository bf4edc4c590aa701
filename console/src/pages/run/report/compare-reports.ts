import type { AnalysisFinding, AnalysisReport, ReportArea } from '@kyros/contract/analysis-report'

export type ChangeKind = 'new' | 'unchanged' | 'fixed'
export const changeKinds = ['new', 'unchanged', 'fixed'] as const satisfies readonly ChangeKind[]

export type ScoreChange = { area: 'overall' | ReportArea; before: number; now: number }

/** What became of the findings since an earlier report, in the areas that both looked at. */
export type ReportComparison = {
  /** In the order of their reports: `fixed` are those of the earlier one, the others those of the later one. */
  findings: { [K in ChangeKind]: AnalysisFinding[] }
  scores: ScoreChange[]
  /** Looked at by one of the two alone: nothing can be said about them. */
  leftOut: ReportArea[]
  /** One of them lists only the most severe: what is called new or fixed may merely have moved over that edge. */
  isPartial: boolean
}

/**
 * Compares two reports of one repository. A finding is the same when its id is, or else its rule, file and message:
 * lines move whenever something above them changes.
 */
export function compareReports(now: AnalysisReport, before: AnalysisReport): ReportComparison {
  const areas = now.types.filter((area) => before.types.includes(area))
  const inBoth = (finding: AnalysisFinding) => areas.includes(finding.area)
  const { matched, unmatchedNow, unmatchedBefore } = match(
    now.findings.filter(inBoth),
    before.findings.filter(inBoth),
  )
  return {
    findings: {
      new: unmatchedNow,
      unchanged: now.findings.filter((finding) => matched.has(finding)),
      fixed: unmatchedBefore,
    },
    scores: scoreChanges(now, before, areas),
    leftOut: [...new Set([...now.types, ...before.types])].filter((area) => !areas.includes(area)),
    isPartial: now.totals.findings_cut > 0 || before.totals.findings_cut > 0,
  }
}

type Keyed = (finding: AnalysisFinding) => string

function match(now: readonly AnalysisFinding[], before: readonly AnalysisFinding[]) {
  const matched = new Set<AnalysisFinding>()
  let unmatchedNow = [...now]
  let unmatchedBefore = [...before]
  for (const keyOf of [idOf, sayingOf]) {
    const waiting = groupBy(unmatchedBefore, keyOf)
    unmatchedNow = unmatchedNow.filter((finding) => {
      if (waiting.get(keyOf(finding))?.shift() === undefined) return true
      matched.add(finding)
      return false
    })
    const left = new Set([...waiting.values()].flat())
    unmatchedBefore = unmatchedBefore.filter((finding) => left.has(finding))
  }
  return { matched, unmatchedNow, unmatchedBefore }
}

function idOf({ id }: AnalysisFinding): string {
  return id
}

function sayingOf({ rule, file, message }: AnalysisFinding): string {
  return [rule, file, message].join('\0')
}

function groupBy(findings: readonly AnalysisFinding[], keyOf: Keyed): Map<string, AnalysisFinding[]> {
  const groups = new Map<string, AnalysisFinding[]>()
  for (const finding of findings) {
    const key = keyOf(finding)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [finding])
    else group.push(finding)
  }
  return groups
}

/** The overall score is made of the areas, so that it only compares when these are the same. */
function scoreChanges(
  now: AnalysisReport,
  before: AnalysisReport,
  areas: readonly ReportArea[],
): ScoreChange[] {
  const isSame = areas.length === now.types.length && areas.length === before.types.length
  const names: readonly ScoreChange['area'][] = isSame ? ['overall', ...areas] : areas
  return names.flatMap((area) => {
    const scoreNow = now.scores[area]
    const scoreBefore = before.scores[area]
    if (scoreNow?.score == null || scoreBefore?.score == null) return []
    return [{ area, before: scoreBefore.score, now: scoreNow.score }]
  })
}

/** A change of a score with its sign, to one decimal: `+1.2`, `−0.5`, `±0`. */
export function formatChange({ before, now }: { before: number; now: number }): string {
  const tenths = Math.round((now - before) * 10)
  if (tenths === 0) return '±0'
  return `${tenths > 0 ? '+' : '−'}${Math.abs(tenths) / 10}`
}
