import { attributesOf, type Job, type JobQuery, type RunQuery } from '@kyros/contract/job'
import { defaultPageSize } from '@kyros/contract/page'
import type { RunSummary } from '@kyros/contract/run'
import { encodeCursor } from '@kyros/store/cursor'
import { firstIdAt } from '@kyros/store/reads/page'
import type { Page, Store } from '@kyros/store/store'
import { latestTimeMs } from './resolve-moment.ts'
import { type FoldBudget, jobAt, runAt } from './state-at.ts'

/** What one answer looks at: runs or jobs, and events of those that have moved since. */
const limits = { maxScanned: 1_000, maxEvents: 20_000, pageSize: 200 } as const

/** Ids are made by the clock of their server just before the event that speaks of them. */
const idSlackMs = 10

/** Runs as they stood after the event `untilSeq`, newest first. */
export async function listPastRuns(
  store: Store,
  { status, attribute, ...query }: RunQuery,
  untilSeq: number,
): Promise<Page<RunSummary>> {
  return scan({
    start: query.cursor ?? (await newestAt(store, untilSeq)),
    size: query.limit ?? defaultPageSize,
    read: (cursor) => store.runs.list({ ...query, limit: limits.pageSize, ...cursor }),
    past: async (run, budget) => {
      // What has not moved since is in its projection as it was then.
      if (run.last_seq <= untilSeq) return run
      const past = await runAt(store, run, untilSeq, budget)
      if (past === undefined) return undefined
      const { updated_at: _1, result: _2, ...summary } = past
      return summary
    },
    isWanted: (run) =>
      (status === undefined || run.status === status) &&
      attributesOf(attribute === undefined ? {} : { attribute }).every(isOf(run)),
  })
}

function isOf({ attributes = {} }: RunSummary) {
  return ({ name, value }: { name: string; value: string }) => String(attributes[name]) === value
}

/** Jobs as they stood after the event `untilSeq`. */
export async function listPastJobs(
  store: Store,
  { status, ...query }: JobQuery,
  untilSeq: number,
): Promise<Page<Job>> {
  const isOldestFirst = query.sort === 'created_at'
  return scan({
    start: query.cursor ?? (isOldestFirst ? undefined : await newestAt(store, untilSeq)),
    size: query.limit ?? defaultPageSize,
    read: (cursor) => store.jobs.list({ ...query, limit: limits.pageSize, ...cursor }),
    past: (job, budget) => jobAt(store, job, untilSeq, budget),
    isWanted: (job) => status === undefined || job.status === status,
  })
}

type Scan<T> = {
  start: string | undefined
  size: number
  read: (from: { cursor?: string }) => Promise<Page<T>>
  past: (item: T, budget: FoldBudget) => Promise<T | undefined>
  isWanted: (item: T) => boolean
}

/** Goes through a list until a page is full or enough was looked at; the cursor says where it stopped. */
async function scan<T extends { id: string; created_at: string }>({
  start,
  size,
  read,
  past,
  isWanted,
}: Scan<T>): Promise<Page<T>> {
  const budget: FoldBudget = { events: limits.maxEvents }
  const items: T[] = []
  let scanned = 0
  let cursor = start
  for (;;) {
    const page = await read(cursor === undefined ? {} : { cursor })
    for (const [index, item] of page.items.entries()) {
      const then = await past(item, budget)
      if (then !== undefined && isWanted(then)) items.push(then)
      scanned += 1
      const isLast = index === page.items.length - 1 && page.nextCursor === null
      if (items.length < size && scanned < limits.maxScanned && budget.events > 0) continue
      return { items, nextCursor: isLast ? null : encodeCursor([Date.parse(item.created_at), item.id]) }
    }
    if (page.nextCursor === null) return { items, nextCursor: null }
    cursor = page.nextCursor
  }
}

/** A cursor in front of the newest that there can have been: what came later is not even looked at. */
async function newestAt(store: Store, untilSeq: number): Promise<string> {
  const timeMs = await latestTimeMs(store, untilSeq)
  return encodeCursor([timeMs, firstIdAt(timeMs + idSlackMs)])
}
