import CheckmarkOutline from '@carbon/icons-react/es/CheckmarkOutline.js'
import type { RunSummary } from '@kyros/contract/run'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { fewRunsQuery } from '../../api/queries.ts'
import { ErrorState, LoadingLines } from '../../ui/PageState.tsx'
import { RunItem } from './RunList.tsx'

const maxShown = 6
const dayMs = 86_400_000

/** Waits that no clock and no other run ends: a person has to do something. */
const stuckReasons = [
  'approval',
  'budget_exceeded',
  'blocked',
  'worker_missing',
  'agent_missing',
  'model_missing',
]

/** What failed or stands still, first on the page because it does not go away by itself. */
export function NeedsYou() {
  const [since] = useState(() => new Date(Math.floor((Date.now() - dayMs) / 60_000) * 60_000).toISOString())
  const failed = useQuery(fewRunsQuery({ status: 'failed', start_date: since }, maxShown))
  const waiting = useQuery(fewRunsQuery({ status: 'waiting' }, 50))
  const error = failed.error ?? waiting.error
  const stuck = (waiting.data?.workflows ?? []).filter(isStuck)
  const runs = mostUrgent(stuck, failed.data?.workflows ?? [])
  const stuckCount = `${stuck.length}${waiting.data?.next_cursor === null ? '' : '+'}`
  const failedTotal = failed.data?.total ?? failed.data?.workflows.length ?? 0
  return (
    <section className="k-tile">
      <div className="k-tile__head">
        <h2>Needs you</h2>
        {failedTotal > 0 && (
          <Link to="/runs" search={{ q: 'status:failed since:24h' }}>
            {`${failedTotal} failed in 24 h`}
          </Link>
        )}
        {stuck.length > 0 && (
          <Link to="/runs" search={{ q: 'status:waiting' }}>
            {`${stuckCount} stuck`}
          </Link>
        )}
      </div>
      {error !== null && <ErrorState error={error} onRetry={() => void failed.refetch()} isCompact />}
      {failed.isPending && <LoadingLines lines={2} label="Loading what needs you" />}
      {!failed.isPending && error === null && runs.length === 0 && (
        <p className="k-tile__calm">
          <CheckmarkOutline aria-hidden="true" /> Nothing failed in the last 24 hours, and nothing waits for
          you.
        </p>
      )}
      <ul className="k-run-items">
        {runs.map((run) => (
          <RunItem key={run.id} run={run} showsWhy />
        ))}
      </ul>
    </section>
  )
}

/** Some of both: many that stand still must not hide the one that failed. */
function mostUrgent(stuck: readonly RunSummary[], failed: readonly RunSummary[]): RunSummary[] {
  const half = maxShown / 2
  const shownFailed = failed.slice(0, Math.max(half, maxShown - stuck.length))
  return [...shownFailed, ...stuck.slice(0, maxShown - shownFailed.length)]
}

function isStuck({ reason }: RunSummary): boolean {
  return reason !== null && stuckReasons.includes(reason)
}
