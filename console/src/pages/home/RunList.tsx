import type { RunSummary } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { fewRunsQuery } from '../../api/queries.ts'
import { ErrorState, LoadingLines } from '../../ui/PageState.tsx'
import { StatusLabel } from '../../ui/StatusLabel.tsx'
import { StepProgress } from '../../ui/StepProgress.tsx'
import { DurationText, TimeText } from '../../ui/TimeText.tsx'

type Props = { title: string; query: ReturnType<typeof fewRunsQuery>; all: string; empty: string }

/** A few runs, with the way to all of them. */
export function RunList({ title, query, all, empty }: Props) {
  const { data, error, isPending, refetch } = useQuery(query)
  const runs = data?.workflows ?? []
  return (
    <section className="k-tile">
      <div className="k-tile__head">
        <h2>{title}</h2>
        <Link to="/runs" search={all === '' ? {} : { q: all }}>
          Show all
        </Link>
      </div>
      {isPending && <LoadingLines lines={3} label={`Loading: ${title}`} />}
      {error !== null && data === undefined && (
        <ErrorState error={error} onRetry={() => void refetch()} isCompact />
      )}
      {data !== undefined && runs.length === 0 && <p className="k-tile__calm">{empty}</p>}
      <ul className="k-run-items">
        {runs.map((run) => (
          <RunItem key={run.id} run={run} />
        ))}
      </ul>
    </section>
  )
}

export function RunItem({ run, showsWhy = false }: { run: RunSummary; showsWhy?: boolean }) {
  const why = run.error?.message ?? run.reason_detail
  return (
    <li className="k-run-item">
      <StatusLabel status={run.status} isIconOnly />
      <Link to="/runs/$runId" params={{ runId: run.id }} className="k-run-item__name" title={run.name}>
        {run.name}
      </Link>
      <span className="k-run-item__end">
        <RunItemState run={run} />
      </span>
      {showsWhy && why !== null && (
        <span className="k-run-item__why" title={why}>
          {why}
        </span>
      )}
    </li>
  )
}

function RunItemState({ run }: { run: RunSummary }) {
  if (isTerminal(run.status)) return <TimeText time={run.completed_at} />
  if (run.status !== 'running') return <TimeText time={run.created_at} />
  return (
    <>
      <StepProgress completed={run.steps_completed} total={run.steps_total} isRunning />
      <DurationText of={run} />
    </>
  )
}
