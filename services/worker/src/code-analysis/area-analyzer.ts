import type { FileUnderAnalysis } from './file-under-analysis.ts'
import type { ModuleFacts, RawFinding, RuleBook } from './finding.ts'
import type { Manifest } from './manifest.ts'

export type AnalyzerContext = {
  readonly manifest: Manifest
  readonly report: (finding: RawFinding) => void
  readonly skip: (what: string, why: string, example?: string) => void
  readonly advisoryFile: string | undefined
}

/** One family of checks. It sees every text file once, in path order, and then may speak about all of them. */
export type Analyzer = {
  readonly name: string
  readonly version: string
  /** Returns false when the file is none of its business. */
  file?(file: FileUnderAnalysis): boolean | Promise<boolean>
  finish?(): void
  /** Files without text (binary or too large) are not given to `file`. */
  metrics?(): { [name: string]: number }
  modules?(): ModuleFacts
}

export type AreaDefinition = {
  readonly rules: RuleBook
  analyzers(context: AnalyzerContext): Analyzer[] | Promise<Analyzer[]>
}
