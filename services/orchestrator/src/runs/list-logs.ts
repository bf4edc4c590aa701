import { defaultPageSize } from '@kyros/contract/page'
import { problem } from '@kyros/contract/problem'
import type { LogLine } from '@kyros/contract/run'
import type { Store } from '@kyros/store/store'
import { getRunRecord } from './get-run.ts'

export type LogQuery = { step?: string; after?: number; limit?: number; cursor?: string }

/** One page of a run's log; the cursor is the number of its last line. @throws run_not_found, cursor_invalid */
export async function listLogs(
  store: Store,
  runId: string,
  query: LogQuery,
): Promise<{ lines: LogLine[]; next_cursor: string | null }> {
  await getRunRecord(store, runId)
  const limit = query.limit ?? defaultPageSize
  const after = query.cursor === undefined ? (query.after ?? 0) : lineOf(query.cursor)
  const read = await store.logs.list(runId, { after, limit: limit + 1, ...stepOf(query.step) })
  const lines = read.slice(0, limit)
  const last = lines.at(-1)
  return { lines, next_cursor: read.length > limit && last ? String(last.line) : null }
}

function lineOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw problem('cursor_invalid', {
    detail: 'Send `next_cursor` of the page before as it was, or leave `cursor` out to begin anew.',
  })
}

export function stepOf(step: string | undefined): { step?: string } {
  return step === undefined ? {} : { step }
}
