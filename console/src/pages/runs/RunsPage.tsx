import { Button } from '@carbon/react'
import type { RunSummary } from '@kyros/contract/run'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { client } from '../../api/client.ts'
import { type RunFilter, runsQuery, statsQuery, workflowTypesQuery } from '../../api/queries.ts'
import { FilterBar } from '../../listing/FilterBar.tsx'
import { listFacets } from '../../listing/facets.ts'
import { ListView } from '../../listing/ListView.tsx'
import { isRunStatus, type ListQuery, parseListQuery, sinceTime } from '../../listing/query-language.ts'
import { SavedViews } from '../../listing/SavedViews.tsx'
import { useLiveList } from '../../listing/useLiveList.ts'
import { NewJobButton } from '../../ui/NewJobButton.tsx'
import { PageHead } from '../../ui/PageHead.tsx'
import { EmptyState } from '../../ui/PageState.tsx'
import { runColumns } from './run-columns.tsx'

const route = getRouteApi('/frame/runs')
const keys = ['status', 'workflow', 'since', 'by', 'attribute'] as const

export function RunsPage() {
  const { q = '' } = route.useSearch()
  const navigate = useNavigate()
  const parsed = useMemo(() => parseListQuery(q, keys), [q])
  const { data: stats } = useQuery(statsQuery)
  const { data: types } = useQuery(workflowTypesQuery)
  const setQuery = useCallback(
    (next: string) => void navigate({ to: '/runs', search: next === '' ? {} : { q: next }, replace: true }),
    [navigate],
  )
  return (
    <div className="k-page k-page--list">
      <PageHead
        title="Runs"
        lead="Every execution of a workflow, newest first. A job that was retried has several."
      />
      <FilterBar
        query={q}
        parsed={parsed}
        facets={listFacets(stats?.runs, types, parsed.terms.status)}
        placeholder="status:failed since:2h, or words of the name"
        onChange={setQuery}
      >
        <SavedViews list="runs" query={q} onPick={setQuery} />
      </FilterBar>
      <RunList key={q} parsed={parsed} isFiltered={q !== ''} onClear={() => setQuery('')} />
    </div>
  )
}

type ListProps = { parsed: ListQuery; isFiltered: boolean; onClear: () => void }

function RunList({ parsed, isFiltered, onClear }: ListProps) {
  const filter = useMemo(() => toFilter(parsed), [parsed])
  const query = runsQuery(filter)
  const list = useInfiniteQuery({
    ...query,
    select: (data) => ({
      ...data,
      pages: data.pages.map(({ workflows, total }) => ({ rows: workflows, total })),
    }),
  })
  const live = useLiveList<RunSummary>({
    list,
    listKey: query.queryKey,
    readHead: async () => (await client.call('listRuns', { query: { ...filter, limit: 50 } })).workflows,
    readOne: (id) => client.call('getRun', { params: { id } }),
    idOf: (event) => event.run_id,
  })
  return (
    <ListView
      noun="run"
      {...live}
      columns={runColumns}
      label={({ name }) => name}
      href={({ id }) => `/runs/${id}`}
      empty={<NoRuns isFiltered={isFiltered} onClear={onClear} />}
      runIdOf={({ id }) => id}
    />
  )
}

function NoRuns({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const action = isFiltered ? (
    <Button size="md" kind="tertiary" onClick={onClear}>
      Show all runs
    </Button>
  ) : (
    <NewJobButton label="Start the first job" />
  )
  return (
    <EmptyState title={isFiltered ? 'No run fits this filter' : 'No runs yet'} action={action}>
      {isFiltered
        ? 'Take a term away, or look further back.'
        : 'Each job starts a run: its steps, tries, logs and results appear here while they happen.'}
    </EmptyState>
  )
}

function toFilter({ terms, text }: ListQuery): RunFilter {
  const since = terms.since === undefined ? undefined : sinceTime(terms.since, Date.now())
  return {
    ...(isRunStatus(terms.status) ? { status: terms.status } : {}),
    ...(terms.workflow === undefined ? {} : { type: terms.workflow }),
    ...(terms.by === undefined ? {} : { created_by: terms.by }),
    ...(terms.attribute === undefined ? {} : { attribute: terms.attribute }),
    ...(since === undefined ? {} : { start_date: since }),
    ...(text === '' ? {} : { q: text.slice(0, 200) }),
  }
}
