import type { EngineParts } from './engine-parts.ts'
import type { RunTable } from './run-table.ts'

const pageSize = 200
const readAtOnce = 16
const sweepEveryMs = 2000
const idsAtOnce = 2000

/** Takes up every run that has not ended, oldest first, and removes workspaces that nobody needs any more. */
export async function recover(parts: EngineParts, table: RunTable, signal: AbortSignal): Promise<void> {
  const unfinished = new Set<string>()
  let after: string | undefined
  for (;;) {
    const page = await parts.store.runs.unfinished(after, pageSize)
    for (let from = 0; from < page.length && !signal.aborted; from += readAtOnce) {
      const some = page.slice(from, from + readAtOnce)
      await Promise.all(some.map((record) => table.takeUp(record)))
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

/**
 * Looks every few seconds for runs that are on disk and not in memory, some at a time, until `signal` aborts: what
 * follows a commit may fail or be cut off, and an accepted run must not wait for the next start because of it.
 */
export async function takeUpForgotten(
  parts: EngineParts,
  table: RunTable,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined
  let missing: string[] = []
  const sweep = async () => {
    // Missing twice: a run that was just committed is on its way into memory.
    for (const id of missing) if (!signal.aborted && !table.live.has(id)) await takeUpOne(parts, table, id)
    const ids = await parts.store.runs.unfinishedIds(after, idsAtOnce)
    after = ids.length < idsAtOnce ? undefined : ids.at(-1)
    missing = ids.filter((id) => !table.live.has(id))
  }
  while (!signal.aborted) {
    await parts.clock.sleep(sweepEveryMs, signal).catch(() => {})
    if (signal.aborted) return
    await sweep().catch((error: unknown) =>
      parts.log('warn', `Forgotten runs are looked for again: ${String(error)}`),
    )
  }
}

async function takeUpOne(parts: EngineParts, table: RunTable, runId: string): Promise<void> {
  try {
    await table.find(runId)
  } catch (error) {
    parts.log('warn', `Run ${runId} cannot be taken up yet: ${String(error)}`)
  }
}
