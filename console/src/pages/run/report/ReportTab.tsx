import Download from '@carbon/icons-react/es/Download.js'
import { Button } from '@carbon/react'
import type { AnalysisReport } from '@kyros/contract/analysis-report'
import type { Run } from '@kyros/contract/run'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { artifactsQuery } from '../../../api/queries.ts'
import { formatBytes, formatCount, plural } from '../../../format/quantity.ts'
import type { RunSearch } from '../../../router.tsx'
import { CopyButton } from '../../../ui/CopyButton.tsx'
import { EmptyState, ErrorState, LoadingLines } from '../../../ui/PageState.tsx'
import { downloadArtifact } from '../ValuesTab.tsx'
import { Comparison } from './Comparison.tsx'
import { compareReports } from './compare-reports.ts'
import { Findings } from './Findings.tsx'
import { findReport, type ReportFiles } from './find-report.ts'
import { previousReportQuery, reportQuery } from './previous-report.ts'
import { Scores } from './Scores.tsx'
import { Skipped } from './Skipped.tsx'

type Props = { run: Run; search: RunSearch; setSearch: (change: RunSearch) => void }

/** What code_analysis found. */
export function ReportTab({ run, search, setSearch }: Props) {
  const { data: artifacts, isPending } = useQuery(artifactsQuery(run.id))
  const files = findReport(artifacts ?? [])
  if (isPending) return <LoadingLines lines={8} label="Loading the report" />
  if (files === undefined)
    return <EmptyState title="No report yet">The last step of the analysis writes it.</EmptyState>
  return <Report run={run} files={files} search={search} setSearch={setSearch} />
}

type ReportProps = {
  run: Run
  files: ReportFiles
  search: RunSearch
  setSearch: (change: RunSearch) => void
}

function Report({ run, files, search, setSearch }: ReportProps) {
  const { data: report, error, refetch } = useQuery(reportQuery(run.id, files.json))
  // Without it the report is as good as before: no error is shown when it cannot be read.
  const { data: previous } = useQuery(previousReportQuery(run))
  const comparison = useMemo(
    () => (report && previous ? compareReports(report, previous.report) : undefined),
    [report, previous],
  )
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (report === undefined) return <LoadingLines lines={8} label="Loading the report" />
  return (
    <div className="k-report">
      <Source report={report} />
      <div className="k-report__downloads">
        {[files.sarif, files.markdown, files.json].map(
          (file) =>
            file !== undefined && (
              <Button
                key={file.name}
                kind="ghost"
                size="sm"
                renderIcon={Download}
                onClick={() => void downloadArtifact(run.id, file.name)}
              >
                {formatOf(file.name)}
              </Button>
            ),
        )}
      </div>
      <Scores report={report} />
      {previous && comparison && <Comparison previous={previous} comparison={comparison} />}
      <Findings report={report} comparison={comparison} search={search} setSearch={setSearch} />
      <Skipped report={report} />
    </div>
  )
}

function formatOf(name: string): string {
  if (name.includes('.sarif')) return 'SARIF'
  return name.endsWith('.md') ? 'Markdown' : 'JSON'
}

function Source({ report }: { report: AnalysisReport }) {
  const { files, lines, bytes } = report.totals
  const languages = Object.entries(report.languages).sort(([, a], [, b]) => b.lines - a.lines)
  return (
    <div className="k-report__source">
      <p className="k-report__repository">
        <code title={report.repository}>{report.repository}</code>
        {report.path !== undefined && <code>{`/${report.path}`}</code>}
        <span className="k-faint">at</span>
        <code title={report.commit}>{report.commit.slice(0, 12)}</code>
        <CopyButton text={report.commit} label="Copy the commit" />
        {report.branch !== undefined && <span className="k-faint">{`on ${report.branch}`}</span>}
      </p>
      <p className="k-faint k-number">
        {`${plural(files, 'file')}, ${plural(lines, 'line')}, ${formatBytes(bytes)}`}
        {languages.slice(0, 5).map(([name, count]) => (
          <span key={name}>{` · ${name} ${formatCount(count.lines)}`}</span>
        ))}
        {languages.length > 5 && ` · ${languages.length - 5} more languages`}
      </p>
    </div>
  )
}
