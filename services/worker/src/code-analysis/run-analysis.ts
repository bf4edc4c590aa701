import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { severities } from '@kyros/contract/analysis-report'
import type { AnalysisArea, RunAnalysisInput, RunAnalysisOutput } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import type { AnalysisOptions } from './analysis-options.ts'
import { analyseArea } from './area-process.ts'
import type { Checkouts } from './checkouts.ts'
import type { AreaResult } from './finding.ts'
import { countSeverities, listFindings } from './finding-list.ts'
import type { Manifest } from './manifest.ts'
import { runOxlint } from './oxlint-run.ts'
import { leftOutSentence, ProgressReport } from './progress-report.ts'
import { counted } from './quantity.ts'
import { SkippedTally } from './skipped.ts'
import type { ToolContext } from './tool-context.ts'
import { runTypeScript } from './typescript-run.ts'

function findingsArtifact(area: AnalysisArea): string {
  return `findings-${area}.json`
}

/**
 * Analyses one area of what FetchCode left, and keeps the findings as an artifact. What is no longer there is
 * fetched again first.
 * @throws analysis_timed_out, analysis_failed, and what `Checkouts.open` throws
 */
export async function runAnalysis(
  { options, checkouts }: { options: AnalysisOptions; checkouts: Checkouts },
  area: AnalysisArea,
  input: RunAnalysisInput,
  step: StepContext,
): Promise<RunAnalysisOutput> {
  const checkoutDirectory = join(step.workspace, input.fetched.checkout)
  const manifest = await checkouts.open(input.fetched, step)
  const scratch = join(step.workspace, `${area}-${step.attempt}`)
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  try {
    const { results, filesLeftOut } = await runTools(options, area, {
      manifest,
      checkoutDirectory,
      scratch,
      step,
    })
    const raw = results.flatMap(({ findings }) => findings)
    const list = await listFindings(area, raw, manifest, checkoutDirectory, options.limits.maxFindings)
    const name = findingsArtifact(area)
    await step.artifacts.put(name, 'application/json', JSON.stringify(list))
    const skipped = new SkippedTally()
    for (const item of results.flatMap((result) => result.skipped))
      skipped.add(item.what, item.why, item.example, item.count)
    const output: RunAnalysisOutput = {
      area,
      findings_artifact: name,
      findings_total: raw.length,
      counts: countSeverities(raw),
      metrics: { lines: ownLines(manifest), ...Object.assign({}, ...results.map(({ metrics }) => metrics)) },
      ran: results.flatMap(({ ran }) => ran).filter(({ files }) => files > 0),
      ...(filesLeftOut === 0 ? {} : { files_left_out: filesLeftOut }),
      skipped: skipped.list(),
    }
    step.log('info', resultSentence(output))
    return output
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function runTools(
  options: AnalysisOptions,
  area: AnalysisArea,
  run: { manifest: Manifest; checkoutDirectory: string; scratch: string; step: StepContext },
): Promise<{ results: AreaResult[]; filesLeftOut: number }> {
  const { manifest, checkoutDirectory, scratch, step } = run
  const progress = new ProgressReport(step)
  const total = manifest.files.filter(({ stored }) => stored !== undefined).length
  const name = areaNames[area]
  const tools = area === 'static' ? ', with its own rules, oxlint and the TypeScript compiler' : ''
  step.log('info', `${name} of ${counted(total, 'file')}${tools}`)
  let filesLeftOut = 0
  const own = analyseArea({
    area,
    checkoutDirectory,
    scratch,
    limits: options.limits,
    advisoryFile: options.advisoryFile,
    signal: step.signal,
    onProgress: (done) =>
      progress.report({
        says: `${name}: ${done.toLocaleString('en')} of ${counted(total, 'file')}`,
        done,
        total,
      }),
    onLeftOut: (index, why) => {
      filesLeftOut++
      const path = manifest.files.find((file) => file.index === index)?.path ?? `file ${index}`
      step.log('warn', `${path} is left out, because ${why}; the other files are analysed again`)
    },
  })
  if (area !== 'static') return { results: [await own], filesLeftOut }
  const context: ToolContext = {
    manifest,
    checkoutDirectory,
    scratch,
    limits: options.limits,
    signal: step.signal,
  }
  const [result, lint] = await Promise.all([own, runOxlint(context)])
  step.heartbeat({ what: 'Checking types with the TypeScript compiler' })
  const types = await runTypeScript(context, result.modules ?? { complete: [], aliases: {} })
  return { results: [result, lint, types], filesLeftOut }
}

const areaNames: { readonly [area in AnalysisArea]: string } = {
  static: 'Static analysis',
  security: 'Security analysis',
  performance: 'Performance analysis',
}

function resultSentence({ area, findings_total, counts, ran, skipped }: RunAnalysisOutput): string {
  const kinds = severities.filter((severity) => counts[severity] > 0)
  const found = kinds.map((severity) => `${counts[severity].toLocaleString('en')} ${severity}`)
  const tools = ran.map(({ tool, version, files }) => `${tool} ${version} in ${counted(files, 'file')}`)
  const what = `${counted(findings_total, 'finding')}${found.length === 0 ? '' : ` (${found.join(', ')})`}`
  const by = tools.length === 0 ? 'no tool had anything to look at' : `looked with ${tools.join(', ')}`
  return `${areaNames[area]} found ${what}: ${by}.${leftOutSentence(skipped)}`
}

/** What densities are measured against: lines of code that somebody wrote here, tests included. */
function ownLines(manifest: Manifest): number {
  return manifest.files
    .filter((file) => file.is_code && (file.role === 'own' || file.role === 'config' || file.role === 'test'))
    .reduce((sum, file) => sum + file.lines, 0)
}
