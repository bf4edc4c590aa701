import type { AnalysisSeverity } from '@kyros/contract/analysis-report'

/** What a rule says wherever it is broken. */
export type Rule = {
  readonly severity: AnalysisSeverity
  readonly title: string
  /** What to do about it. */
  readonly hint: string
}

export type RuleBook = { readonly [id: string]: Rule }

/** A finding as an analyzer states it; reports add file name, id and snippet. */
export type RawFinding = {
  readonly rule: string
  readonly severity: AnalysisSeverity
  readonly title: string
  readonly message: string
  readonly hint: string
  /** Index in the manifest. */
  readonly file: number
  readonly line: number
  readonly end_line?: number
  readonly column?: number
  /** Columns of the line, from 1, that must never be shown. */
  readonly secret?: { readonly from: number; readonly to: number }
}

export type AreaResult = {
  readonly findings: RawFinding[]
  readonly metrics: { [name: string]: number }
  readonly ran: { tool: string; version: string; files: number }[]
  readonly skipped: { what: string; why: string; example?: string; count: number }[]
  readonly modules?: ModuleFacts
}

/** What the module graph knows that a type check needs. */
export type ModuleFacts = {
  /** Manifest indexes of files whose imports, and theirs, all lie in the repository or in Node. */
  readonly complete: readonly number[]
  /** Import specifiers of the repository's own packages, and the path each stands for. */
  readonly aliases: { readonly [specifier: string]: string }
}
