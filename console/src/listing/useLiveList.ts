import { type InfiniteData, type UseInfiniteQueryResult, useQueryClient } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState } from 'react'
import { changesLists, statsQuery } from '../api/queries.ts'
import { useLiveMessages } from '../live/live.ts'
import { useCoalesced } from '../live/useCoalesced.ts'

type Listed = { id: string; created_at: string }
type Page<Row> = { rows: readonly Row[]; total?: number | undefined }

type Options<Row extends Listed> = {
  list: UseInfiniteQueryResult<InfiniteData<Page<Row>>>
  listKey: readonly unknown[]
  /** The newest rows of the same list. */
  readHead: () => Promise<readonly Row[]>
  readOne: (id: string) => Promise<Row>
  /** The id of the row that an event is about. */
  idOf: (event: { job_id?: string | undefined; run_id?: string | undefined }) => string | undefined
}

/** What a list view is told of the rows, whatever they are. */
export type LiveList<Row> = {
  rows: readonly Row[]
  total: number | undefined
  /** How many rows have come since; they appear when asked for, so that nothing moves under the pointer. */
  newCount: number
  onShowNew: () => void
  isPending: boolean
  error: unknown
  onRetryRead: () => void
  hasMore: boolean
  /** The end of the rows is in sight. */
  onEnd: () => void
}

const refreshEveryMs = 1_000
const maxSingleReads = 20

/** Keeps the rows of a list true while they stay where they are; counts the new ones instead of inserting them. */
export function useLiveList<Row extends Listed>(options: Options<Row>): LiveList<Row> {
  const { list, listKey } = options
  const { data } = list
  const queryClient = useQueryClient()
  const [fresh, setFresh] = useState<ReadonlyMap<string, Row>>(new Map())
  const changed = useRef(new Set<string>())
  const loaded = useMemo(() => data?.pages.flatMap((page) => page.rows) ?? [], [data])
  const loadedIds = useMemo(() => new Set(loaded.map(({ id }) => id)), [loaded])
  const newestTime = loaded[0]?.created_at

  const refresh = useCoalesced(async () => {
    const ids = [...changed.current].filter((id) => loadedIds.has(id))
    changed.current.clear()
    void queryClient.invalidateQueries({ queryKey: statsQuery.queryKey })
    const head = await settle(options.readHead())
    const inHead = new Set(head?.map(({ id }) => id))
    const single = ids.filter((id) => !inHead.has(id)).slice(0, maxSingleReads)
    const rows = await Promise.all(single.map((id) => settle(options.readOne(id))))
    const known = [...(head ?? []), ...rows].filter((row) => row !== undefined)
    setFresh((before) => new Map([...before, ...known.map((row) => [row.id, row] as const)]))
  }, refreshEveryMs)

  useLiveMessages((message) => {
    if (message.kind === 'reset' || !changesLists(message.event)) return
    const id = options.idOf(message.event)
    if (id !== undefined) changed.current.add(id)
    refresh()
  })

  const rows = useMemo(() => loaded.map((row) => fresh.get(row.id) ?? row), [loaded, fresh])
  const newCount = [...fresh.values()].filter(
    (row) => isNewer(row, newestTime) && !loadedIds.has(row.id),
  ).length
  const onShowNew = () => {
    setFresh(new Map())
    void queryClient.resetQueries({ queryKey: listKey })
  }
  return { rows, newCount: data === undefined ? 0 : newCount, onShowNew, ...usePages(list) }
}

/** How the pages of the list come in, one after the other. */
function usePages<Row>(list: UseInfiniteQueryResult<InfiniteData<Page<Row>>>) {
  const { data, hasNextPage, isFetchingNextPage, isError, fetchNextPage } = list
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isError, fetchNextPage])
  return {
    total: data?.pages[0]?.total,
    isPending: list.isPending,
    error: list.error,
    onRetryRead: () => void (data === undefined ? list.refetch() : fetchNextPage()),
    hasMore: hasNextPage,
    onEnd,
  }
}

/** Rows of the same millisecond count as new too: which of them was listed first is up to the server. */
function isNewer({ created_at }: Listed, newestTime: string | undefined): boolean {
  return newestTime === undefined || created_at >= newestTime
}

/** A refresh that fails is not worth an error of its own: the live indicator already says what is wrong. */
function settle<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined)
}
