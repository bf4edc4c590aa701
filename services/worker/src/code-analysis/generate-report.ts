import { basename, isAbsolute } from 'node:path'
import { type AnalysisFinding, type AnalysisReport, maxReportFindings } from '@kyros/contract/analysis-report'
import type {
  GenerateReportInput,
  GenerateReportOutput,
  RunAnalysisOutput,
} from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'
import { compareFindings, type FindingList } from './finding-list.ts'
import { markdownOf } from './markdown-report.ts'
import { sarifOf } from './sarif-report.ts'
import { addCounts, scoreArea, scoreOverall } from './score.ts'

/**
 * Puts the areas together into report.json, report.md and report.sarif. Nothing in them depends on time, machine or order:
 * the same commit and areas give the same bytes.
 * @throws findings_missing when an area's artifact is gone
 */
export async function generateReport(
  input: GenerateReportInput,
  step: StepContext,
): Promise<GenerateReportOutput> {
  const lists: FindingList[] = []
  for (const analysis of input.analyses) {
    step.signal.throwIfAborted()
    lists.push(await readFindings(analysis, step))
  }
  const report = composeReport(input, lists)
  const artifacts = [
    ['report.json', 'application/json', JSON.stringify(report, null, 1)],
    ['report.md', 'text/markdown; charset=utf-8', markdownOf(report)],
    ['report.sarif', 'application/sarif+json', JSON.stringify(sarifOf(report), null, 1)],
  ] as const
  for (const [name, mediaType, data] of artifacts) await step.artifacts.put(name, mediaType, data)
  step.log('info', `Score ${report.scores.overall.score} of 100 with ${report.totals.findings} findings`)
  const { scores, totals } = report
  return {
    scores: {
      ...(scores.static === undefined ? {} : { static: scores.static.score }),
      ...(scores.security === undefined ? {} : { security: scores.security.score }),
      ...(scores.performance === undefined ? {} : { performance: scores.performance.score }),
      overall: scores.overall.score,
    },
    findings_total: totals.findings,
    counts: totals.counts,
    files_unread: input.fetched.skipped
      .filter(({ what }) => /^files\b/.test(what))
      .reduce((sum, { count }) => sum + (count ?? 1), 0),
    artifacts: artifacts.map(([name]) => name),
  }
}

async function readFindings(analysis: RunAnalysisOutput, step: StepContext): Promise<FindingList> {
  const data = await step.artifacts.get(analysis.findings_artifact)
  if (data === undefined) {
    throw new StepError(
      'findings_missing',
      `The findings of the ${analysis.area} analysis are no longer there. Start the analysis again.`,
      { retryable: false },
    )
  }
  // Written by the step before, in this version's form.
  return JSON.parse(Buffer.from(data).toString('utf8')) as FindingList
}

function composeReport(
  { fetched, analyses }: GenerateReportInput,
  lists: readonly FindingList[],
): AnalysisReport {
  const scored = analyses.map((analysis) => ({
    area: analysis.area,
    ...scoreArea(analysis.area, analysis.counts, analysis.metrics.lines ?? 0),
  }))
  const findings: AnalysisFinding[] = lists.flatMap((list) => list.findings).sort(compareFindings)
  const kept = findings.slice(0, maxReportFindings)
  const total = analyses.reduce((sum, { findings_total }) => sum + findings_total, 0)
  return {
    version: 1,
    repository: shownRepository(fetched.repository),
    commit: fetched.commit,
    ...(fetched.branch === undefined ? {} : { branch: fetched.branch }),
    ...(fetched.path === undefined ? {} : { path: fetched.path }),
    types: analyses.map(({ area }) => area),
    scores: {
      ...Object.fromEntries(
        scored.map(({ area, score, formula, inputs }) => [area, { score, formula, inputs }]),
      ),
      overall: scoreOverall(scored),
    },
    totals: {
      files: fetched.files,
      lines: Object.values(fetched.languages).reduce((sum, { lines }) => sum + lines, 0),
      bytes: fetched.bytes,
      findings: total,
      findings_cut: total - kept.length,
      counts: addCounts(analyses),
    },
    languages: fetched.languages,
    metrics: Object.fromEntries(analyses.map(({ area, metrics }) => [area, metrics])),
    findings: kept,
    tools: analyses.flatMap(({ area, ran }) =>
      ran.map(({ tool, version, files }) => ({ area, name: tool, version, files })),
    ),
    skipped: [
      ...fetched.skipped.map((item) => ({ area: 'fetch' as const, ...item })),
      ...analyses.flatMap(({ area, skipped }) => skipped.map((item) => ({ area, ...item }))),
    ],
  }
}

/** Reports are passed on: of a path on this machine they show only the last folder. */
function shownRepository(repository: string): string {
  return isAbsolute(repository) ? basename(repository) || 'root' : repository
}
