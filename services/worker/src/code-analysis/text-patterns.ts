import type { AnalysisSeverity } from '@kyros/contract/analysis-report'
import type { FileUnderAnalysis } from './file-under-analysis.ts'

/** A rule that is a pattern over text without comments. */
export type TextPattern = {
  readonly rule: string
  readonly languages: readonly string[]
  /** Needs the flag g. */
  readonly pattern: RegExp
  readonly message: string
  readonly severity?: AnalysisSeverity
  /** Strings are blanked as well, so that the pattern sees only code. */
  readonly codeOnly?: boolean
  /** A second look at the match; false drops it. */
  readonly confirm?: (match: string, file: FileUnderAnalysis) => boolean
}

export function applyPatterns(file: FileUnderAnalysis, patterns: readonly TextPattern[]): void {
  for (const { rule, languages, pattern, message, severity, codeOnly, confirm } of patterns) {
    if (!languages.includes(file.file.language)) continue
    const text = codeOnly ? file.masked.bare : file.masked.code
    for (const match of text.matchAll(pattern)) {
      if (confirm !== undefined && !confirm(match[0], file)) continue
      const start = match.index + (match[0].length - match[0].trimStart().length)
      if (isInsideString(file, start)) continue
      file.report(
        rule,
        { start, end: match.index + match[0].length },
        message,
        severity === undefined ? {} : { severity },
      )
    }
  }
}

/** Code that is quoted in a text does not run. Scripts and pipelines quote what they run, so they are left alone. */
function isInsideString(file: FileUnderAnalysis, at: number): boolean {
  if (file.file.syntax !== 'c' && file.file.syntax !== 'python') return false
  const { code, bare } = file.masked
  return bare[at] === ' ' && code[at] !== ' '
}
