import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnalysisFinding, severities } from '@kyros/contract/analysis-report'
import type { AnalysisArea, SeverityCounts } from '@kyros/workflows/code-analysis/steps'
import { compareText } from './file-path.ts'
import type { RawFinding } from './finding.ts'
import type { Manifest } from './manifest.ts'
import { maskSecretText } from './secret-mask.ts'
import { SourceText } from './source-text.ts'

/** What a step leaves in its findings artifact for the report. */
export type FindingList = {
  readonly area: AnalysisArea
  readonly findings: readonly AnalysisFinding[]
  readonly cut: number
}

const contextLines = 2
const maxSnippetLines = 8
const maxSnippetLineCharacters = 240

export function countSeverities(findings: readonly { severity: keyof SeverityCounts }[]): SeverityCounts {
  const counts: SeverityCounts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}

export function compareFindings(
  left: {
    severity: AnalysisFinding['severity']
    file: string
    line: number
    column?: number
    rule: string
    message: string
  },
  right: {
    severity: AnalysisFinding['severity']
    file: string
    line: number
    column?: number
    rule: string
    message: string
  },
): number {
  return (
    severities.indexOf(left.severity) - severities.indexOf(right.severity) ||
    compareText(left.file, right.file) ||
    left.line - right.line ||
    (left.column ?? 0) - (right.column ?? 0) ||
    compareText(left.rule, right.rule) ||
    compareText(left.message, right.message)
  )
}

/** Orders findings, keeps the most severe, and gives each its file, id and snippet. */
export async function listFindings(
  area: AnalysisArea,
  raw: readonly RawFinding[],
  manifest: Manifest,
  checkoutDirectory: string,
  maxFindings: number,
): Promise<FindingList> {
  const files = new Map(manifest.files.map((file) => [file.index, file]))
  const placed = raw
    .map((finding) => ({ raw: finding, ...finding, file: files.get(finding.file)?.path ?? '' }))
    .sort(compareFindings)
  const kept = placed.slice(0, maxFindings)
  const texts = new Map<number, SourceText>()
  const occurrences = new Map<string, number>()
  const findings: AnalysisFinding[] = []
  for (const { raw: finding, file } of kept) {
    let source = texts.get(finding.file)
    if (source === undefined) {
      const stored = files.get(finding.file)?.stored
      const text = stored === undefined ? '' : await readFile(join(checkoutDirectory, stored), 'utf8')
      source = new SourceText(text)
      // Findings come by severity, so a file is met several times; a few thousand texts would be too many to hold.
      if (texts.size > 200) texts.clear()
      texts.set(finding.file, source)
    }
    findings.push(completeFinding(area, finding, file, source, occurrences))
  }
  return { area, findings, cut: placed.length - kept.length }
}

function completeFinding(
  area: AnalysisArea,
  finding: RawFinding,
  file: string,
  source: SourceText,
  occurrences: Map<string, number>,
): AnalysisFinding {
  const content = source.line(finding.line).trim()
  // By content and not by line number, so that the id survives changes elsewhere in the file.
  const key = [finding.rule, file, content].join('\0')
  const occurrence = occurrences.get(key) ?? 0
  occurrences.set(key, occurrence + 1)
  const id = createHash('sha256').update(`${key}\0${occurrence}`).digest('hex').slice(0, 20)
  return {
    id,
    area,
    severity: finding.severity,
    rule: finding.rule,
    title: finding.title,
    message: finding.message,
    file,
    line: finding.line,
    ...(finding.end_line === undefined ? {} : { end_line: finding.end_line }),
    ...(finding.column === undefined ? {} : { column: finding.column }),
    fix_hint: finding.hint,
    snippet: snippetOf(finding, source),
  }
}

function snippetOf(finding: RawFinding, source: SourceText): AnalysisFinding['snippet'] {
  const first = Math.max(1, finding.line - contextLines)
  const wanted = Math.max(finding.end_line ?? finding.line, finding.line) + contextLines
  const last = Math.min(source.lineCount, wanted, first + maxSnippetLines - 1)
  const lines: string[] = []
  for (let line = first; line <= last; line++) {
    const text = source.line(line)
    const secret = line === finding.line ? finding.secret : undefined
    const shown =
      secret === undefined ? text : `${text.slice(0, secret.from - 1)}••••••${text.slice(secret.to - 1)}`
    const masked = maskSecretText(shown)
    lines.push(
      masked.length > maxSnippetLineCharacters ? `${masked.slice(0, maxSnippetLineCharacters)}…` : masked,
    )
  }
  return { start_line: first, lines }
}
