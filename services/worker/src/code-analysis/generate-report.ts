import { basename, isAbsolute } from 'node:path'
import { type AnalysisFinding, type AnalysisReport, maxReportFindings } from '@kyros/contract/analysis-report'
import type {
  FetchCodeOutput,
  GenerateReportInput,
  GenerateReportOutput,
  RunAnalysisOutput,
} from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'
import { compareFindings, type FindingList } from './finding-list.ts'
import { markdownOf } from './markdown-report.ts'
import { counted } from './quantity.ts'
import { sarifOf } from './sarif-report.ts'
import { addCounts, scoreAnalysis, scoreOverall } from './score.ts'

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
  const { scores, totals } = report
  step.log('info', resultSentence(report))
  const notScored = reasonsOf(scores)
  return {
    scores: {
      ...(scores.static === undefined ? {} : { static: scores.static.score }),
      ...(scores.security === undefined ? {} : { security: scores.security.score }),
      ...(scores.performance === undefined ? {} : { performance: scores.performance.score }),
      overall: scores.overall.score,
    },
    ...(Object.keys(notScored).length === 0 ? {} : { not_scored: notScored }),
    findings_total: totals.findings,
    counts: totals.counts,
    files_unread: totals.files_unread ?? 0,
    artifacts: artifacts.map(([name]) => name),
  }
}

function resultSentence({ scores, totals }: AnalysisReport): string {
  const { score, why } = scores.overall
  const marks = score === null ? `No score: ${why ?? ''}` : `Score ${score} of 100.`
  const unread = totals.files_unread ?? 0
  const missing =
    unread === 0 ? '' : ` ${counted(unread, 'file was', 'files were')} not read or not analysed.`
  return `${marks} Wrote the report of ${counted(totals.findings, 'finding')} in ${counted(totals.files, 'file')}.${missing}`
}

function reasonsOf(scores: AnalysisReport['scores']): NonNullable<GenerateReportOutput['not_scored']> {
  const { static: fixed, security, performance, overall } = scores
  return {
    ...(fixed?.score === null ? { static: fixed.why ?? '' } : {}),
    ...(security?.score === null ? { security: security.why ?? '' } : {}),
    ...(performance?.score === null ? { performance: performance.why ?? '' } : {}),
    ...(overall.score === null ? { overall: overall.why ?? '' } : {}),
  }
}

/** A file that several areas could not analyse is one file. */
function filesUnread(fetched: FetchCodeOutput, analyses: readonly RunAnalysisOutput[]): number {
  const unread = fetched.skipped
    .filter(({ what }) => /^files\b/.test(what))
    .reduce((sum, { count }) => sum + count, 0)
  return unread + Math.max(0, ...analyses.map((analysis) => analysis.files_left_out ?? 0))
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
    score: scoreAnalysis(analysis),
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
      ...Object.fromEntries(scored.map(({ area, score }) => [area, score])),
      overall: scoreOverall(scored.map(({ area, score: { score } }) => ({ area, score }))),
    },
    totals: {
      files: fetched.files,
      lines: Object.values(fetched.languages).reduce((sum, { lines }) => sum + lines, 0),
      bytes: fetched.bytes,
      files_unread: filesUnread(fetched, analyses),
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
