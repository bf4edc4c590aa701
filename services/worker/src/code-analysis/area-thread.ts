// The thread that analyses one area of a snapshot; see `area-process.ts`.
import { closeSync, openSync, writeSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import type { Analyzer, AnalyzerContext, AreaDefinition } from './area-analyzer.ts'
import { type AreaTask, acrossFiles } from './area-process.ts'
import { FileUnderAnalysis } from './file-under-analysis.ts'
import type { AreaResult, RawFinding } from './finding.ts'
import { type Manifest, manifestName } from './manifest.ts'
import { performanceArea } from './performance-area.ts'
import { securityArea } from './security-area.ts'
import { detached } from './source-text.ts'
import { staticArea } from './static-area.ts'

const areas: { readonly [area in AreaTask['area']]: AreaDefinition } = {
  static: staticArea,
  security: securityArea,
  performance: performanceArea,
}

/** More findings of one rule in one file say nothing new. */
const maxPerRuleAndFile = 20

async function analyse(task: AreaTask): Promise<AreaResult> {
  // Written by FetchCode.
  const manifest = JSON.parse(await readFile(join(task.checkoutDirectory, manifestName), 'utf8')) as Manifest
  const area = areas[task.area]
  const collected = new Collected()
  const context: AnalyzerContext = {
    manifest,
    report: (finding) => collected.add(finding),
    skip: (what, why, example) => collected.skip(what, why, example),
    advisoryFile: task.advisoryFile,
  }
  const analyzers = await area.analyzers(context)
  const seen = new Map<string, number>(analyzers.map(({ name }) => [name, 0]))
  const excluded = new Map(task.excluded.map(({ index, why }) => [index, why]))
  const progress = openSync(task.progressFile, 'w')
  let done = 0
  for (const file of manifest.files) {
    if (file.stored === undefined) continue
    const why = excluded.get(file.index)
    if (why !== undefined) {
      collected.skip('files', why, file.path)
      continue
    }
    writeProgress(progress, file.index, done++)
    const text = await readFile(join(task.checkoutDirectory, file.stored), 'utf8')
    const subject = new FileUnderAnalysis(file, text, area.rules, context.report)
    for (const analyzer of analyzers) await analyseFile(analyzer, subject, seen, collected)
    // Some analyzers keep their subjects to the end; with texts and trees that would be gigabytes.
    subject.release()
  }
  writeProgress(progress, acrossFiles, done)
  for (const analyzer of analyzers) analyzer.finish?.()
  closeSync(progress)
  return collected.result(analyzers, seen)
}

async function analyseFile(
  analyzer: Analyzer,
  file: FileUnderAnalysis,
  seen: Map<string, number>,
  collected: Collected,
): Promise<void> {
  try {
    if (await analyzer.file?.(file)) seen.set(analyzer.name, (seen.get(analyzer.name) ?? 0) + 1)
  } catch {
    // Such as a stack that overflows on code nested thousands of levels deep: one file less, and it is said.
    collected.skip('files', `${analyzer.name} could not read them`, file.file.path)
  }
}

class Collected {
  readonly #findings: RawFinding[] = []
  readonly #perRuleAndFile = new Map<string, number>()
  readonly #skipped = new Map<string, { what: string; why: string; example?: string; count: number }>()

  add(finding: RawFinding): void {
    const key = `${finding.rule} ${finding.file}`
    const count = (this.#perRuleAndFile.get(key) ?? 0) + 1
    this.#perRuleAndFile.set(key, count)
    if (count <= maxPerRuleAndFile) this.#findings.push({ ...finding, message: detached(finding.message) })
    else this.skip('findings', `more than ${maxPerRuleAndFile} of one rule in one file`, finding.rule)
  }

  skip(what: string, why: string, example?: string): void {
    const key = `${what}\n${why}`
    const item = this.#skipped.get(key)
    if (item === undefined) this.#skipped.set(key, { what, why, count: 1, ...(example ? { example } : {}) })
    else item.count++
  }

  result(analyzers: readonly Analyzer[], seen: ReadonlyMap<string, number>): AreaResult {
    const modules = analyzers.map((analyzer) => analyzer.modules?.()).find((facts) => facts !== undefined)
    return {
      ...(modules === undefined ? {} : { modules }),
      findings: this.#findings,
      metrics: Object.assign({}, ...analyzers.map((analyzer) => analyzer.metrics?.() ?? {})),
      ran: analyzers.map(({ name, version }) => ({ tool: name, version, files: seen.get(name) ?? 0 })),
      skipped: [...this.#skipped.values()],
    }
  }
}

const progressWidth = 24

/** Fixed width, so that a reader never sees a mixture of two lines. */
function writeProgress(file: number, index: number, done: number): void {
  writeSync(file, `${index} ${done}`.padEnd(progressWidth), 0)
}

// The parent starts this thread with an AreaTask and nothing else.
const task = workerData as AreaTask
analyse(task).then(
  (result) => writeFile(task.resultFile, JSON.stringify(result)),
  async (error: unknown) => {
    process.exitCode = 1
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
    await writeFile(`${task.resultFile}.error`, words)
  },
)
