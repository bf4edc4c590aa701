import type { Run } from '@kyros/contract/run'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { Suspense, useState } from 'react'
import { isNotFound } from '../../api/explain-error.ts'
import { artifactsQuery } from '../../api/queries.ts'
import { lazyPart } from '../../frame/lazy-part.tsx'
import type { RunSearch } from '../../router.tsx'
import { EmptyState, ErrorState, LoadingLines } from '../../ui/PageState.tsx'
import { TabLinks } from '../../ui/TabLinks.tsx'
import { RunHeader } from './RunHeader.tsx'
import { RunNotice } from './RunNotice.tsx'
import { findReport } from './report/find-report.ts'
import { StepPanel } from './StepPanel.tsx'
import { Timeline } from './Timeline.tsx'
import { useRun } from './useRun.ts'

const EventsTab = lazyPart(async () => (await import('./EventsTab.tsx')).EventsTab)
const GraphTab = lazyPart(async () => (await import('./graph/GraphTab.tsx')).GraphTab)
const LogsTab = lazyPart(async () => (await import('./LogsTab.tsx')).LogsTab)
const ValuesTab = lazyPart(async () => (await import('./ValuesTab.tsx')).ValuesTab)
const ReportTab = lazyPart(async () => (await import('./report/ReportTab.tsx')).ReportTab)

const route = getRouteApi('/frame/runs/$runId')

export function RunPage() {
  const { runId } = route.useParams()
  return <RunOf key={runId} runId={runId} />
}

function RunOf({ runId }: { runId: string }) {
  const { data: run, error, isPending, refetch } = useRun(runId)
  if (isPending) {
    return (
      <div className="k-page">
        <LoadingLines lines={8} label="Loading the run" />
      </div>
    )
  }
  if (run !== undefined) return <LoadedRun run={run} />
  return (
    <div className="k-page">
      {isNotFound(error) ? (
        <EmptyState title="There is no such run" action={<Link to="/runs">Show all runs</Link>}>
          It may have been deleted with its job, or the address is not complete.
        </EmptyState>
      ) : (
        <ErrorState error={error} onRetry={() => void refetch()} />
      )}
    </div>
  )
}

function LoadedRun({ run }: { run: Run }) {
  const search = route.useSearch()
  const navigate = useNavigate()
  const { data: artifacts } = useQuery(artifactsQuery(run.id))
  const report = findReport(artifacts ?? [])
  const isReady = report !== undefined && run.status === 'completed'
  // Chosen once: a page that jumps to another tab because the run has ended takes away what one was reading.
  const [firstTab] = useState(
    run.status === 'completed' && run.type === 'code_analysis' ? 'report' : 'timeline',
  )
  const tab =
    search.tab ?? (firstTab === 'report' && artifacts !== undefined && !isReady ? 'timeline' : firstTab)
  const setSearch = (change: RunSearch) =>
    void navigate({ to: '.', search: (before: RunSearch) => ({ ...before, ...change }), replace: true })
  const selected = run.steps.find(({ key }) => key === search.step)
  const isPanelOpen = selected !== undefined && (tab === 'timeline' || tab === 'graph')
  return (
    <div className="k-page k-page--run">
      <RunHeader run={run} />
      <RunNotice run={run} />
      {isReady && tab !== 'report' && firstTab !== 'report' && (
        <p className="k-notice k-notice--good">
          The report is ready.{' '}
          <Link to="." search={(before: RunSearch) => ({ ...before, tab: 'report' })}>
            Open it
          </Link>
        </p>
      )}
      <TabLinks label="Parts of the run" current={tab} tabs={tabsOf(run, isReady)} />
      <div className={isPanelOpen ? 'k-run-body k-run-body--split' : 'k-run-body'}>
        <div className="k-run-body__main">
          <Suspense fallback={<LoadingLines lines={6} label="Loading" />}>
            <TabBody tab={tab} run={run} search={search} setSearch={setSearch} />
          </Suspense>
        </div>
        {isPanelOpen && <StepPanel step={selected} onClose={() => setSearch({ step: undefined })} />}
      </div>
    </div>
  )
}

function tabsOf(run: Run, isReportReady: boolean) {
  return [
    ...(isReportReady ? [{ id: 'report', label: 'Report' }] : []),
    { id: 'timeline', label: 'Timeline', count: run.steps.length },
    { id: 'graph', label: 'Graph' },
    { id: 'logs', label: 'Logs' },
    { id: 'events', label: 'Events', count: run.run_seq },
    { id: 'values', label: 'Input and result' },
  ]
}

type BodyProps = { tab: string; run: Run; search: RunSearch; setSearch: (change: RunSearch) => void }

function TabBody({ tab, run, search, setSearch }: BodyProps) {
  const steps = {
    run,
    selectedKey: search.step,
    onSelect: (key: string) => setSearch({ step: key === search.step ? undefined : key }),
  }
  switch (tab) {
    case 'graph':
      return <GraphTab {...steps} />
    case 'report':
      return <ReportTab run={run} search={search} setSearch={setSearch} />
    case 'logs':
      return <LogsTab run={run} step={search.step} onStep={(step) => setSearch({ step })} />
    case 'events':
      return <EventsTab runId={run.id} />
    case 'values':
      return <ValuesTab run={run} />
    default:
      return <Timeline {...steps} />
  }
}
