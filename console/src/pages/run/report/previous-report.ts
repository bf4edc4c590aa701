import type { AnalysisReport } from '@kyros/contract/analysis-report'
import type { Run, RunSummary } from '@kyros/contract/run'
import { queryOptions } from '@tanstack/react-query'
import { client } from '../../../api/client.ts'
import { findReport } from './find-report.ts'

export type PreviousReport = { run: RunSummary; report: AnalysisReport }

/** An earlier analysis of the same place is looked for among this many runs before this one. */
const runsLookedThrough = 50
const readAtOnce = 5

/** A report as a run left it; kept by its content, which never changes. */
export function reportQuery(runId: string, file: { name: string; sha256: string }) {
  return queryOptions({
    queryKey: ['report', file.sha256],
    queryFn: ({ signal }) => readReport(runId, file.name, signal),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** The report of the last analysis of the same repository and path before a run; null when there is none. */
export function previousReportQuery(run: Run) {
  return queryOptions({
    queryKey: ['run', run.id, 'previous-report'],
    queryFn: ({ signal }) => readPrevious(run, signal),
    staleTime: 60_000,
  })
}

async function readPrevious(run: Run, signal: AbortSignal): Promise<PreviousReport | null> {
  const { workflows } = await client.call('listRuns', {
    query: { type: run.type, status: 'completed', end_date: run.created_at, limit: runsLookedThrough },
    signal,
  })
  const earlier = workflows.filter((other) => other.id !== run.id && other.created_at <= run.created_at)
  for (let from = 0; from < earlier.length; from += readAtOnce) {
    const some = earlier.slice(from, from + readAtOnce)
    const areSame = await Promise.all(some.map((other) => looksAtSame(run, other, signal)))
    for (const other of some.filter((_, index) => areSame[index])) {
      const report = await readReportOf(other.id, signal)
      if (report !== undefined) return { run: other, report }
    }
  }
  return null
}

async function looksAtSame(run: Run, other: RunSummary, signal: AbortSignal): Promise<boolean> {
  if (other.job_id === run.job_id) return true
  const { input } = await client.call('getJob', { params: { id: other.job_id }, signal })
  return samePlace(run.input, input)
}

/** Whether two inputs name the same repository and the same folder in it. */
export function samePlace(one: unknown, other: unknown): boolean {
  const place = placeOf(one)
  return place !== undefined && place === placeOf(other)
}

function placeOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || !('repository' in input)) return undefined
  const path = 'path' in input && typeof input.path === 'string' ? input.path : ''
  return `${withoutSlash(String(input.repository))}\0${withoutSlash(path)}`
}

function withoutSlash(text: string): string {
  return text.trim().replace(/\/+$/, '')
}

async function readReportOf(runId: string, signal: AbortSignal): Promise<AnalysisReport | undefined> {
  const { artifacts } = await client.call('listArtifacts', { params: { id: runId }, signal })
  const files = findReport(artifacts)
  return files && readReport(runId, files.json.name, signal)
}

async function readReport(id: string, name: string, signal: AbortSignal): Promise<AnalysisReport> {
  const response = await client.download('getArtifact', { params: { id, name }, signal })
  // The worker writes this file by the same schema; its version says so.
  const report = (await response.json()) as AnalysisReport
  if (report.version !== 1) throw new Error(`This console reads reports of version 1, not ${report.version}.`)
  return report
}
