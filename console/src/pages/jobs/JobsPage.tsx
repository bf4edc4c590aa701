import { Button } from '@carbon/react'
import type { Job } from '@kyros/contract/job'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { client } from '../../api/client.ts'
import { type JobFilter, jobsQuery, statsQuery, workflowTypesQuery } from '../../api/queries.ts'
import { FilterBar } from '../../listing/FilterBar.tsx'
import { listFacets } from '../../listing/facets.ts'
import { ListView } from '../../listing/ListView.tsx'
import { isRunStatus, type ListQuery, parseListQuery, sinceTime } from '../../listing/query-language.ts'
import { SavedViews } from '../../listing/SavedViews.tsx'
import { useLiveList } from '../../listing/useLiveList.ts'
import { NewJobButton } from '../../ui/NewJobButton.tsx'
import { PageHead } from '../../ui/PageHead.tsx'
import { EmptyState } from '../../ui/PageState.tsx'
import { jobColumns } from './job-columns.tsx'

const route = getRouteApi('/frame/jobs')
const keys = ['status', 'workflow', 'since', 'agent'] as const

export function JobsPage() {
  const { q = '' } = route.useSearch()
  const navigate = useNavigate()
  const parsed = useMemo(() => parseListQuery(q, keys), [q])
  const { data: stats } = useQuery(statsQuery)
  const { data: types } = useQuery(workflowTypesQuery)
  const setQuery = useCallback(
    (next: string) => void navigate({ to: '/jobs', search: next === '' ? {} : { q: next }, replace: true }),
    [navigate],
  )
  return (
    <div className="k-page k-page--list">
      <PageHead title="Jobs" lead="What was asked for, newest first.">
        <NewJobButton />
      </PageHead>
      <FilterBar
        query={q}
        parsed={parsed}
        facets={listFacets(stats?.jobs, types, parsed.terms.status)}
        placeholder="status:failed since:2h, or words of the title"
        onChange={setQuery}
      >
        <SavedViews list="jobs" query={q} onPick={setQuery} />
      </FilterBar>
      <JobList key={q} parsed={parsed} isFiltered={q !== ''} onClear={() => setQuery('')} />
    </div>
  )
}

type ListProps = { parsed: ListQuery; isFiltered: boolean; onClear: () => void }

function JobList({ parsed, isFiltered, onClear }: ListProps) {
  const filter = useMemo(() => toFilter(parsed), [parsed])
  const query = jobsQuery(filter)
  const list = useInfiniteQuery({
    ...query,
    select: (data) => ({ ...data, pages: data.pages.map(({ jobs, total }) => ({ rows: jobs, total })) }),
  })
  const live = useLiveList<Job>({
    list,
    listKey: query.queryKey,
    readHead: async () => (await client.call('listJobs', { query: { ...filter, limit: 50 } })).jobs,
    readOne: (id) => client.call('getJob', { params: { id } }),
    idOf: (event) => event.job_id,
  })
  return (
    <ListView
      noun="job"
      {...live}
      columns={jobColumns}
      label={({ title }) => title}
      href={({ id }) => `/jobs/${id}`}
      empty={<NoJobs isFiltered={isFiltered} onClear={onClear} />}
      runIdOf={({ run_id }) => run_id}
    />
  )
}

function NoJobs({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) {
    return (
      <EmptyState
        title="No job fits this filter"
        action={
          <Button size="md" kind="tertiary" onClick={onClear}>
            Show all jobs
          </Button>
        }
      >
        Take a term away, or look further back.
      </EmptyState>
    )
  }
  return (
    <EmptyState title="No jobs yet" action={<NewJobButton label="Start the first job" />}>
      A job is something you ask Kyros to do. It is recorded before anything happens, and goes on where it was
      when the machine restarts.
    </EmptyState>
  )
}

function toFilter({ terms, text }: ListQuery): JobFilter {
  const since = terms.since === undefined ? undefined : sinceTime(terms.since, Date.now())
  return {
    ...(isRunStatus(terms.status) ? { status: terms.status } : {}),
    ...(terms.workflow === undefined ? {} : { workflow: terms.workflow }),
    ...(terms.agent === undefined ? {} : { agent_id: terms.agent }),
    ...(since === undefined ? {} : { created_after: since }),
    ...(text === '' ? {} : { q: text.slice(0, 200) }),
  }
}
