import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnalysisArea, RunAnalysisInput, RunAnalysisOutput } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import type { AnalysisOptions } from './analysis-options.ts'
import { analyseArea } from './area-process.ts'
import type { AreaResult } from './finding.ts'
import { countSeverities, listFindings } from './finding-list.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { runOxlint } from './oxlint-run.ts'
import { ProgressReport } from './progress-report.ts'
import { SkippedTally } from './skipped.ts'
import type { ToolContext } from './tool-context.ts'
import { runTypeScript } from './typescript-run.ts'

function findingsArtifact(area: AnalysisArea): string {
  return `findings-${area}.json`
}

/**
 * Analyses one area of what FetchCode left, and keeps the findings as an artifact.
 * @throws checkout_missing, analysis_timed_out, analysis_failed
 */
export async function runAnalysis(
  options: AnalysisOptions,
  area: AnalysisArea,
  input: RunAnalysisInput,
  step: StepContext,
): Promise<RunAnalysisOutput> {
  const checkoutDirectory = join(step.workspace, input.fetched.checkout)
  const manifest = await readManifest(checkoutDirectory)
  const scratch = join(step.workspace, `${area}-${step.attempt}`)
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  try {
    const results = await runTools(options, area, { manifest, checkoutDirectory, scratch, step })
    const raw = results.flatMap(({ findings }) => findings)
    const list = await listFindings(area, raw, manifest, checkoutDirectory, options.limits.maxFindings)
    const name = findingsArtifact(area)
    await step.artifacts.put(name, 'application/json', JSON.stringify(list))
    const skipped = new SkippedTally()
    for (const item of results.flatMap((result) => result.skipped))
      skipped.add(item.what, item.why, item.example, item.count)
    step.log('info', `${raw.length} findings`)
    return {
      area,
      findings_artifact: name,
      findings_total: raw.length,
      counts: countSeverities(raw),
      metrics: { lines: ownLines(manifest), ...Object.assign({}, ...results.map(({ metrics }) => metrics)) },
      ran: results.flatMap(({ ran }) => ran).filter(({ files }) => files > 0),
      skipped: skipped.list(),
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function runTools(
  options: AnalysisOptions,
  area: AnalysisArea,
  run: { manifest: Manifest; checkoutDirectory: string; scratch: string; step: StepContext },
): Promise<AreaResult[]> {
  const { manifest, checkoutDirectory, scratch, step } = run
  const progress = new ProgressReport(step)
  const total = manifest.files.filter(({ stored }) => stored !== undefined).length
  const own = analyseArea({
    area,
    checkoutDirectory,
    scratch,
    limits: options.limits,
    advisoryFile: options.advisoryFile,
    signal: step.signal,
    onProgress: (done) => progress.report('analysing files', done, total),
  })
  if (area !== 'static') return [await own]
  const tools: ToolContext = {
    manifest,
    checkoutDirectory,
    scratch,
    limits: options.limits,
    signal: step.signal,
  }
  const [result, lint] = await Promise.all([own, runOxlint(tools)])
  step.heartbeat({ what: 'checking types' })
  const types = await runTypeScript(tools, result.modules ?? { complete: [], aliases: {} })
  return [result, lint, types]
}

/** What densities are measured against: lines of code that somebody wrote here, tests included. */
function ownLines(manifest: Manifest): number {
  return manifest.files
    .filter((file) => file.is_code && (file.role === 'own' || file.role === 'config' || file.role === 'test'))
    .reduce((sum, file) => sum + file.lines, 0)
}
