import type { RunEvent } from '@kyros/contract/event'
import type { Answer, Query } from '@kyros/contract/operation'
import { isTerminal } from '@kyros/contract/run-status'
import type { ViewList } from '@kyros/contract/saved-view'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client } from './client.ts'

export type JobFilter = Omit<Partial<Query<'listJobs'>>, 'cursor' | 'limit'>
export type RunFilter = Omit<Partial<Query<'listRuns'>>, 'cursor' | 'limit'>
export type LoggedEvent = Answer<'listEvents'>['events'][number]

/** A page of a list is the most the API gives, so that scrolling through ten thousand rows asks fifty times. */
export const listPageSize = 200

export const userQuery = queryOptions({
  queryKey: ['user'],
  queryFn: ({ signal }) => client.call('currentUser', { signal }),
  staleTime: 5 * 60_000,
})

/** Only admins may read this. */
export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: async ({ signal }) => (await client.call('listUsers', { signal })).users,
  staleTime: 5 * 60_000,
})

/** The keys of this person. */
export const apiKeysQuery = queryOptions({
  queryKey: ['api-keys'],
  queryFn: async ({ signal }) => (await client.call('listApiKeys', { signal })).api_keys,
  staleTime: 5 * 60_000,
})

export const statsQuery = queryOptions({
  queryKey: ['stats'],
  queryFn: ({ signal }) => client.call('stats', { signal }),
})

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => client.call('health', { signal }),
  refetchInterval: 15_000,
})

export function viewsQuery(list: ViewList) {
  return queryOptions({
    queryKey: ['views', list],
    queryFn: async ({ signal }) => (await client.call('listViews', { query: { list }, signal })).views,
    staleTime: 60_000,
  })
}

export const workflowTypesQuery = queryOptions({
  queryKey: ['workflow-types'],
  queryFn: async ({ signal }) => (await client.call('listWorkflowTypes', { signal })).workflow_types,
  staleTime: 5 * 60_000,
})

export function fewRunsQuery(filter: RunFilter, limit: number) {
  return queryOptions({
    queryKey: ['runs', 'few', filter, limit],
    queryFn: ({ signal }) => client.call('listRuns', { query: { ...filter, limit }, signal }),
  })
}

/** The first page has no cursor; written as a function so that its type keeps room for the others. */
function firstPage(): string | undefined {
  return undefined
}

export function jobsQuery(filter: JobFilter) {
  return infiniteQueryOptions({
    queryKey: ['jobs', 'list', filter],
    queryFn: ({ signal, pageParam }) =>
      client.call('listJobs', { query: { ...filter, limit: listPageSize, cursor: pageParam }, signal }),
    initialPageParam: firstPage(),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // What moves is brought up to date row by row; reading fifty pages again would not be.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  })
}

export function runsQuery(filter: RunFilter) {
  return infiniteQueryOptions({
    queryKey: ['runs', 'list', filter],
    queryFn: ({ signal, pageParam }) =>
      client.call('listRuns', { query: { ...filter, limit: listPageSize, cursor: pageParam }, signal }),
    initialPageParam: firstPage(),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  })
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ['job', id],
    queryFn: ({ signal }) => client.call('getJob', { params: { id }, signal }),
  })
}

export function runQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => client.call('getRun', { params: { id }, signal }),
  })
}

/** Why the run stands where it stands after its event `runSeq`. */
export function whyQuery(id: string, runSeq: number) {
  return queryOptions({
    queryKey: ['run', id, 'why', runSeq],
    queryFn: ({ signal }) => client.call('whyRun', { params: { id }, signal }),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
}

export function artifactsQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'artifacts'],
    queryFn: async ({ signal }) =>
      (await client.call('listArtifacts', { params: { id: runId }, signal })).artifacts,
  })
}

/** More events of one run than this are not held in a browser; the export has them all. */
export const maxEventsShown = 20_000

export function runEventsQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'events'],
    queryFn: ({ signal }) => readAllEvents(runId, signal),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

async function readAllEvents(runId: string, signal: AbortSignal): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = []
  let cursor: string | undefined
  do {
    const query = { limit: listPageSize, cursor }
    const page = await client.call('listRunEvents', { params: { id: runId }, query, signal })
    events.push(...page.events)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined && events.length < maxEventsShown)
  return events
}

/** Whether an event may change what a list shows of its run or job. */
export function changesLists(event: { type: string }): boolean {
  return event.type.startsWith('run.') || event.type.startsWith('job.') || event.type.startsWith('step.')
}

/** Whether an event ends its run. */
export function endsRun(event: RunEvent): boolean {
  const status = event.type.slice('run.'.length)
  return (
    event.type.startsWith('run.') &&
    (status === 'completed' || status === 'failed' || status === 'cancelled' || status === 'timed_out') &&
    isTerminal(status)
  )
}
