import { useQuery, useQueryClient } from '@tanstack/react-query'
import { changesLists, fewRunsQuery, statsQuery } from '../../api/queries.ts'
import { useLiveMessages } from '../../live/live.ts'
import { useCoalesced } from '../../live/useCoalesced.ts'
import { NewJobButton } from '../../ui/NewJobButton.tsx'
import { PageHead } from '../../ui/PageHead.tsx'
import { ErrorState } from '../../ui/PageState.tsx'
import { GettingStarted } from './GettingStarted.tsx'
import { HealthStrip } from './HealthStrip.tsx'
import { NeedsYou } from './NeedsYou.tsx'
import { Numbers } from './Numbers.tsx'
import { RunList } from './RunList.tsx'

const refreshEveryMs = 2_000
const shownRuns = 6

export function HomePage() {
  useLiveHome()
  const { data: stats, error, refetch } = useQuery(statsQuery)
  return (
    <div className="k-page">
      <PageHead title="Home">
        <NewJobButton />
      </PageHead>
      <GettingStarted stats={stats} />
      <div className="k-home">
        <NeedsYou />
        <RunList
          title="Running now"
          query={fewRunsQuery({ status: 'running' }, shownRuns)}
          all="status:running"
          empty="Nothing runs at the moment."
        />
      </div>
      {error !== null && stats === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} isCompact />
      ) : (
        <Numbers stats={stats} />
      )}
      <RunList title="Recent runs" query={fewRunsQuery({}, shownRuns)} all="" empty="Nothing has run yet." />
      <HealthStrip />
    </div>
  )
}

/** Reads the numbers and lists again when something happened, at most every two seconds. */
function useLiveHome() {
  const queryClient = useQueryClient()
  const refresh = useCoalesced(() => {
    void queryClient.invalidateQueries({ queryKey: statsQuery.queryKey })
    void queryClient.invalidateQueries({ queryKey: ['runs', 'few'] })
  }, refreshEveryMs)
  useLiveMessages((message) => {
    if (message.kind === 'reset' || changesLists(message.event)) refresh()
  })
}
