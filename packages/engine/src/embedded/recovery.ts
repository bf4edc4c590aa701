import type { EngineParts } from './engine-parts.ts'
import type { RunTable } from './run-table.ts'

const pageSize = 200
const readAtOnce = 16

/** Takes up every run that has not ended, oldest first, and removes workspaces that nobody needs any more. */
export async function recover(parts: EngineParts, table: RunTable, signal: AbortSignal): Promise<void> {
  const unfinished = new Set<string>()
  let after: string | undefined
  for (;;) {
    const page = await parts.store.runs.unfinished(after, pageSize)
    for (let from = 0; from < page.length && !signal.aborted; from += readAtOnce) {
      await Promise.all(page.slice(from, from + readAtOnce).map((record) => table.takeUp(record)))
    }
    for (const { id } of page) unfinished.add(id)
    after = page.at(-1)?.id
    if (page.length < pageSize || signal.aborted) break
  }
  if (signal.aborted) return
  await parts.workspaces
    .sweep((runId) => unfinished.has(runId) || table.live.has(runId))
    .catch((error: unknown) => parts.log('warn', `Old workspaces are still there: ${String(error)}`))
}
