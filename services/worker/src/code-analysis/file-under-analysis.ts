import type { AnalysisSeverity } from '@kyros/contract/analysis-report'
import type { RawFinding, Rule, RuleBook } from './finding.ts'
import type { SnapshotFile } from './manifest.ts'
import { type MaskedSource, maskSource } from './masked-source.ts'
import { SourceText } from './source-text.ts'
import { type ParsedModule, parseModule } from './syntax-tree.ts'

export type FindingPlace = {
  /** Offsets in the text. */
  readonly start: number
  readonly end?: number
}

export type FindingChange = { readonly severity?: AnalysisSeverity; readonly isSecret?: boolean }

/** A file as rules see it: parsed and masked at most once, and only when a rule asks. */
export class FileUnderAnalysis {
  readonly file: SnapshotFile
  readonly source: SourceText
  readonly #rules: RuleBook
  readonly #report: (finding: RawFinding) => void
  #masked: MaskedSource | undefined
  #parsed: ParsedModule | undefined

  constructor(file: SnapshotFile, text: string, rules: RuleBook, report: (finding: RawFinding) => void) {
    this.file = file
    this.source = new SourceText(text)
    this.#rules = rules
    this.#report = report
  }

  get text(): string {
    return this.source.text
  }

  get isScript(): boolean {
    return this.file.language === 'JavaScript' || this.file.language === 'TypeScript'
  }

  /** Written here by hand and not a test: the code that scores are about. */
  get isProduct(): boolean {
    return this.file.role === 'own' || this.file.role === 'config'
  }

  get masked(): MaskedSource {
    this.#masked ??= maskSource(this.text, this.file.syntax, this.file.language)
    return this.#masked
  }

  get parsed(): ParsedModule {
    this.#parsed ??= parseModule(this.file.path, this.text)
    return this.#parsed
  }

  /** Gives up text and trees; a place can still be reported by its offset. */
  release(): void {
    this.source.release()
    this.#masked = undefined
    this.#parsed = undefined
  }

  report(ruleId: string, place: FindingPlace, message: string, change: FindingChange = {}): void {
    const rule: Rule | undefined = this.#rules[ruleId]
    if (rule === undefined) throw new Error(`No rule ${ruleId}`)
    const line = this.source.lineAt(place.start)
    const column = this.source.columnAt(place.start)
    const endLine = place.end === undefined ? line : this.source.lineAt(Math.max(place.start, place.end - 1))
    this.#report({
      rule: ruleId,
      severity: change.severity ?? rule.severity,
      title: rule.title,
      message,
      hint: rule.hint,
      file: this.file.index,
      line,
      ...(endLine > line ? { end_line: endLine } : {}),
      column,
      ...(change.isSecret
        ? { secret: { from: column, to: column + Math.max(0, (place.end ?? place.start) - place.start) } }
        : {}),
    })
  }

  /** For rules about a whole line. */
  reportLine(ruleId: string, line: number, message: string, change: FindingChange = {}): void {
    const text = this.source.line(line)
    const start = this.source.lineStart(line) + (text.length - text.trimStart().length)
    this.report(ruleId, { start }, message, change)
  }
}
