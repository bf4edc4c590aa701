import type { OpenRun } from '@kyros/store/store'
import type { EngineParts } from './engine-parts.ts'
import { holdPlaces } from './operations/gate-keeping.ts'
import type { RunTable } from './run-table.ts'
import { workedOff } from './worked-off.ts'

const pageSize = 1000
const retryReadMs = 500
const idsAtOnce = 2000

/**
 * Takes up every run that has not ended, oldest first, and removes workspaces that nobody needs any more. A run that
 * cannot be taken up now is left to `takeUpForgotten`: one fault must not keep the engine from all other runs.
 */
export async function recover(parts: EngineParts, table: RunTable, signal: AbortSignal): Promise<void> {
  await parts.workspaces
    .look()
    .catch((error: unknown) => parts.log('warn', `Old workspaces cannot be listed: ${String(error)}`))
  let after: string | undefined
  while (!signal.aborted) {
    const page = await readPage(parts, after, signal)
    await holdPlaces(parts, page, signal)
    const awake: OpenRun[] = []
    for (const record of page) {
      if (mayRest(record) && wakeAtMs(record) > parts.clock.nowMs()) table.sleep(record.id, wakeAtMs(record))
      else awake.push(record)
    }
    await takeUp(parts, table, awake, signal)
    after = page.at(-1)?.id
    if (page.length < pageSize) break
  }
  if (signal.aborted) return
  await parts.workspaces
    .sweep((runId) => table.has(runId))
    .catch((error: unknown) => parts.log('warn', `Old workspaces are still there: ${String(error)}`))
}

/** A run that waits for its time or for somebody needs no memory until then, unless something came meanwhile. */
function mayRest(record: OpenRun): boolean {
  const { status, reason, stirred } = record
  if (status !== 'waiting' || stirred === true) return false
  return reason === 'timer' || reason === 'signal' || reason === 'waitpoint' || isPaused(record)
}

/** One that was cancelled cleans up, whether or not it is paused. */
function isPaused({ paused, cancel_requested }: Pick<OpenRun, 'paused' | 'cancel_requested'>): boolean {
  return paused === true && !cancel_requested
}

function wakeAtMs(record: OpenRun): number {
  if (isPaused(record)) return Infinity
  const untilMs = record.waiting_until === null ? Infinity : Date.parse(record.waiting_until)
  if (record.startedMs === null) return untilMs
  return Math.min(untilMs, record.startedMs + record.timeout_seconds * 1000)
}

async function takeUp(
  parts: EngineParts,
  table: RunTable,
  records: readonly OpenRun[],
  signal: AbortSignal,
): Promise<void> {
  const later = (runId: string, error: unknown) =>
    parts.log('warn', `Run ${runId} cannot be taken up yet: ${String(error)}`)
  await table
    .takeUp(records, later, () => workedOff(parts, signal))
    .catch((error: unknown) => {
      parts.log('warn', `Unfinished runs are taken up a little later: ${String(error)}`)
    })
}

/** Tries until the store answers: who holds the engine has nothing better to do. */
async function readPage(
  parts: EngineParts,
  after: string | undefined,
  signal: AbortSignal,
): Promise<OpenRun[]> {
  while (!signal.aborted) {
    try {
      return await parts.store.runs.unfinished(after, pageSize)
    } catch (error) {
      parts.log('warn', `Unfinished runs are read again: ${String(error)}`)
      await parts.clock.sleep(retryReadMs, signal).catch(() => {})
    }
  }
  return []
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
    for (const id of missing) if (!signal.aborted && !table.has(id)) await takeUpOne(parts, table, id)
    const ids = await parts.store.runs.unfinishedIds(after, idsAtOnce)
    after = ids.length < idsAtOnce ? undefined : ids.at(-1)
    missing = ids.filter((id) => !table.has(id))
  }
  while (!signal.aborted) {
    await parts.clock.sleep(parts.sweepEveryMs, signal).catch(() => {})
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
