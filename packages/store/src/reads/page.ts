import { defaultPageSize, maxPageSize } from '@kyros/contract/page'
import { uuidv7 } from '@kyros/contract/uuidv7'
import { encodeCursor } from '../cursor.ts'
import type { Page } from '../store.ts'

export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(limit ?? defaultPageSize, 1), maxPageSize)
}

/** Cuts a page out of rows read with one more than fits: that one says that there is a next page. */
export function cutPage<R, T>(
  rows: readonly R[],
  size: number,
  toItem: (row: R) => T,
  toCursor: (row: R) => readonly [number, string],
): Page<T> {
  const kept = rows.slice(0, size)
  const last = kept.at(-1)
  const nextCursor = rows.length > size && last !== undefined ? encodeCursor(toCursor(last)) : null
  return { items: kept.map(toItem), nextCursor }
}

const noRandomness = new Uint8Array(10)

/** No id that was made at this time or later is smaller: a search by time can use the order of the ids. */
export function firstIdAt(timeMs: number): string {
  return uuidv7(Math.max(timeMs, 0), noRandomness)
}
