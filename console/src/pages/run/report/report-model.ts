import {
  type AnalysisFinding,
  type AnalysisSeverity,
  type ReportArea,
  reportAreas,
  severities,
} from '@kyros/contract/analysis-report'

export type FindingFilter = {
  area?: string | undefined
  severity?: string | undefined
  q?: string | undefined
}

export type FindingRow =
  | { kind: 'area'; area: ReportArea; count: number }
  | { kind: 'severity'; area: ReportArea; severity: AnalysisSeverity; count: number }
  | { kind: 'finding'; finding: AnalysisFinding }

/** The findings that a filter lets through; words must all occur in file, rule, title or message. */
export function filterFindings(
  findings: readonly AnalysisFinding[],
  filter: FindingFilter,
): AnalysisFinding[] {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  return findings.filter(
    (finding) =>
      (filter.area === undefined || finding.area === filter.area) &&
      (filter.severity === undefined || finding.severity === filter.severity) &&
      words.every((word) => haystack(finding).includes(word)),
  )
}

/** One flat list with a heading per area and per severity, what is worst first: what a virtual list draws. */
export function groupFindings(findings: readonly AnalysisFinding[]): FindingRow[] {
  const rows: FindingRow[] = []
  for (const area of [...reportAreas].sort((a, b) => worstOf(findings, a) - worstOf(findings, b))) {
    const inArea = findings.filter((finding) => finding.area === area)
    if (inArea.length === 0) continue
    rows.push({ kind: 'area', area, count: inArea.length })
    for (const severity of severities) {
      const group = inArea.filter((finding) => finding.severity === severity)
      if (group.length === 0) continue
      rows.push({ kind: 'severity', area, severity, count: group.length })
      rows.push(...group.map((finding) => ({ kind: 'finding' as const, finding })))
    }
  }
  return rows
}

/** The place of the worst finding of an area among the severities; areas that are equally bad keep their order. */
function worstOf(findings: readonly AnalysisFinding[], area: ReportArea): number {
  const places = findings
    .filter((finding) => finding.area === area)
    .map(({ severity }) => severities.indexOf(severity))
  return Math.min(severities.length, ...new Set(places))
}

/** How many findings each value of a field has, in the order given. */
export function countBy<K extends 'area' | 'severity'>(
  findings: readonly AnalysisFinding[],
  field: K,
  values: readonly AnalysisFinding[K][],
): { value: AnalysisFinding[K]; count: number }[] {
  return values
    .map((value) => ({ value, count: findings.filter((finding) => finding[field] === value).length }))
    .filter(({ count }) => count > 0)
}

/** A score to one decimal, rounded down: 99.97 is not yet the 100 that says that nothing was found. */
export function formatScore(score: number): string {
  return String(Math.floor(score * 10 + 1e-9) / 10)
}

/** A score in words, so that its colour is not all that says it. */
export function gradeOf(score: number): { word: string; tone: 'good' | 'fair' | 'poor' } {
  if (score >= 85) return { word: 'good', tone: 'good' }
  return score >= 60 ? { word: 'fair', tone: 'fair' } : { word: 'poor', tone: 'poor' }
}

function haystack({ file, rule, title, message }: AnalysisFinding): string {
  return `${file} ${rule} ${title} ${message}`.toLowerCase()
}
