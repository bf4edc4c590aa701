import type { StepImplementation } from '../step-context.ts'
import type { CodeAnalysisInput } from './input.ts'

export type AnalysisArea = 'static' | 'security' | 'performance'

export type SeverityCounts = {
  critical: number
  high: number
  medium: number
  low: number
  info: number
}

/** Something that was not looked at. Nothing is ever left out silently. */
export type SkippedItem = {
  what: string
  why: string
  count: number
}

export type FetchCodeInput = {
  repository: string
  branch?: string
  path?: string
}

export type FetchCodeOutput = {
  /** As the user named it. */
  repository: string
  /** A commit hash, or `files-<sha256 of all names and contents>` for a directory outside Git. */
  commit: string
  branch?: string
  path?: string
  /** True when the working tree has changes that are not in `commit` and so are not analysed. */
  dirty?: boolean
  /** A directory name under the run's workspace. */
  checkout: string
  files: number
  bytes: number
  languages: { [name: string]: { files: number; lines: number } }
  skipped: SkippedItem[]
}

export type RunAnalysisInput = {
  fetched: FetchCodeOutput
}

export type RunAnalysisOutput = {
  area: AnalysisArea
  findings_artifact: string
  findings_total: number
  counts: SeverityCounts
  metrics: { [name: string]: number }
  ran: { tool: string; version: string; files: number }[]
  /** Files that made an analyzer crash or hang. */
  files_left_out?: number
  skipped: SkippedItem[]
}

export type GenerateReportInput = {
  fetched: FetchCodeOutput
  analyses: RunAnalysisOutput[]
}

export type GenerateReportOutput = {
  /** Null: nothing could be analysed, and `not_scored` says why. */
  scores: {
    static?: number | null
    security?: number | null
    performance?: number | null
    overall: number | null
  }
  not_scored?: { [area in AnalysisArea | 'overall']?: string }
  findings_total: number
  counts: SeverityCounts
  /** Files that are there and were not read or not analysed; the report says why. */
  files_unread: number
  artifacts: string[]
}

/** The steps of `code_analysis`. `services/worker` implements them; the definition only knows these names. */
export type CodeAnalysisSteps = {
  FetchCode: StepImplementation<FetchCodeInput, FetchCodeOutput>
  RunStaticAnalysis: StepImplementation<RunAnalysisInput, RunAnalysisOutput>
  RunSecurityAnalysis: StepImplementation<RunAnalysisInput, RunAnalysisOutput>
  RunPerformanceAnalysis: StepImplementation<RunAnalysisInput, RunAnalysisOutput>
  GenerateReport: StepImplementation<GenerateReportInput, GenerateReportOutput>
}

/** Which areas an input asks for, in report order. */
export function areasOf(input: CodeAnalysisInput): AnalysisArea[] {
  const all: AnalysisArea[] = ['static', 'security', 'performance']
  const wanted = input.types
  return wanted === undefined ? all : all.filter((area) => wanted.includes(area))
}
