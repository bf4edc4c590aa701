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
import { TimeSlider } from './past/TimeSlider.tsx'
import { useMoment } from './past/useMoment.ts'
import { usePast } from './past/usePast.ts'
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

function LoadedRun({ run: present }: { run: Run }) {
  const search = route.useSearch()
  const navigate = useNavigate()
  const setSearch = (change: RunSearch) =>
    void navigate({ to: '.', search: (before: RunSearch) => ({ ...before, ...change }), replace: true })
  const moment = useMoment(search, setSearch)
  const past = usePast(present, moment.at)
  const run = past.kind === 'past' ? past.run : present
  const atMs = past.kind === 'past' ? Date.parse(past.event.time) : undefined
  const { data: artifacts } = useQuery(artifactsQuery(present.id))
  const report = findReport(artifacts ?? [])
  const isReady = report !== undefined && present.status === 'completed'
  // Chosen once: a page that jumps to another tab because the run has ended takes away what one was reading.
  const [firstTab] = useState(
    present.status === 'completed' && present.type === 'code_analysis' && search.at === undefined
      ? 'report'
      : 'timeline',
  )
  const tab =
    search.tab ?? (firstTab === 'report' && artifacts !== undefined && !isReady ? 'timeline' : firstTab)
  const selected = run.steps.find(({ key }) => key === search.step)
  const isPanelOpen = selected !== undefined && (tab === 'timeline' || tab === 'graph')
  return (
    <div className="k-page k-page--run">
      <RunHeader run={run} atMs={atMs} />
      {atMs === undefined && <RunNotice run={run} />}
      {isReady && atMs === undefined && tab !== 'report' && firstTab !== 'report' && (
        <p className="k-notice k-notice--good">
          The report is ready.{' '}
          <Link to="." search={(before: RunSearch) => ({ ...before, tab: 'report' })}>
            Open it
          </Link>
        </p>
      )}
      <TabLinks label="Parts of the run" current={tab} tabs={tabsOf(present, isReady)} />
      {hasTime.has(tab) && present.run_seq > 1 && <TimeSlider run={present} moment={moment} past={past} />}
      <div className={isPanelOpen ? 'k-run-body k-run-body--split' : 'k-run-body'}>
        <div className="k-run-body__main">
          <Suspense fallback={<LoadingLines lines={6} label="Loading" />}>
            <TabBody
              tab={tab}
              run={run}
              present={present}
              atMs={atMs}
              search={search}
              setSearch={setSearch}
            />
          </Suspense>
        </div>
        {isPanelOpen && (
          <StepPanel
            run={atMs === undefined ? run : undefined}
            step={selected}
            onClose={() => setSearch({ step: undefined })}
          />
        )}
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

/** The parts that show the run at a moment; the others show all there is. */
const hasTime = new Set(['timeline', 'graph', 'values'])

type BodyProps = {
  tab: string
  /** As it was at the moment that is looked at. */
  run: Run
  present: Run
  atMs: number | undefined
  search: RunSearch
  setSearch: (change: RunSearch) => void
}

function TabBody({ tab, run, present, atMs, search, setSearch }: BodyProps) {
  const steps = {
    run,
    selectedKey: search.step,
    onSelect: (key: string) => setSearch({ step: key === search.step ? undefined : key }),
  }
  switch (tab) {
    case 'graph':
      return <GraphTab {...steps} />
    case 'report':
      return <ReportTab run={present} search={search} setSearch={setSearch} />
    case 'logs':
      return <LogsTab run={present} step={search.step} onStep={(step) => setSearch({ step })} />
    case 'events':
      return <EventsTab runId={run.id} />
    case 'values':
      return <ValuesTab run={run} />
    default:
      return <Timeline {...steps} moment={atMs === undefined ? undefined : { atMs, present }} />
  }
}
