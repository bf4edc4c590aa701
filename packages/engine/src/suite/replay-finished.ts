import { setImmediate as nextTurn } from 'node:timers/promises'
import { isTerminal } from '@kyros/contract/run-status'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored, StoredValueLost } from '@kyros/store/stored-value'
import { createDefinitionCache } from '../definitions/definition-cache.ts'
import { type LoadedDefinition, loadBundle } from '../definitions/definitions.ts'
import { type ShadowResult, shadowReplay } from '../embedded/shadow-replay.ts'
import { guardRejections } from '../embedded/workflow-scope.ts'

const pageSize = 200
// A test that makes thousands of runs makes them alike.
const maxRuns = 400

/**
 * Replays every run of the store that has ended on the bundle it ended on, and compares commands and end: what a test
 * did with a run must be repeatable from its log. Only those of one project where tests share a database: each test sees
 * to its own. @throws with all that differs
 */
export async function replayFinished(store: Store, cacheDir: string, projectId?: string): Promise<void> {
  // A promise that a definition forgets is forgotten again by its replay.
  const release = guardRejections()
  try {
    await replayAll(store, cacheDir, projectId)
    await nextTurn()
  } finally {
    release()
  }
}

async function replayAll(store: Store, cacheDir: string, projectId: string | undefined): Promise<void> {
  const load = createLoader(store, cacheDir)
  const faults: string[] = []
  let cursor: string | null = null
  for (let seen = 0; seen < maxRuns; seen += pageSize) {
    const page = await store.runs.list({ limit: pageSize, ...(cursor === null ? {} : { cursor }) })
    for (const { id, status, project_id } of page.items) {
      const isAsked = projectId === undefined || project_id === projectId
      if (isAsked && isTerminal(status)) faults.push(...(await replayOne(store, id, load)))
    }
    cursor = page.nextCursor
    if (cursor === null) break
  }
  if (faults.length > 0) throw new Error(`Finished runs do not replay:\n${faults.join('\n')}`)
}

type Load = (hash: string) => Promise<LoadedDefinition | undefined>

function createLoader(store: Store, cacheDir: string): Load {
  const cache = createDefinitionCache(cacheDir)
  const loaded = new Map<string, Promise<LoadedDefinition | undefined>>()
  const read: Load = async (hash) => {
    const stored = await store.definitions.get(hash)
    if (stored === undefined) return undefined
    return loadBundle(hash, await cache.file(hash, async () => stored.source))
  }
  return (hash) => {
    const known = loaded.get(hash) ?? read(hash)
    loaded.set(hash, known)
    return known
  }
}

async function replayOne(store: Store, runId: string, load: Load): Promise<string[]> {
  const run = await store.runs.get(runId)
  const loaded = run === undefined ? undefined : await load(run.definition)
  // Without a definition, or its bundle, a run ends only by being cancelled.
  if (run === undefined || loaded === undefined) return []
  const replayed = await shadowReplay(store, runId, loaded).catch((error: unknown) => {
    // One whose history is lost in part ends only by being cancelled.
    if (error instanceof StoredValueLost && run.status === 'cancelled') return undefined
    throw error
  })
  if (replayed === undefined) return []
  const fault = differenceOf(await withResult(run, store), replayed)
  return fault === undefined ? [] : [`${run.type} ${runId} (${run.status}): ${fault}`]
}

/** The run with its result, which may be too large for the record. */
export async function withResult(run: RunRecord, { blobs }: Pick<Store, 'blobs'>): Promise<RunRecord> {
  return { ...run, result: await fromStored(run.result, blobs) }
}

/** What differs between how a run ended and its replay. */
export function differenceOf(
  run: RunRecord,
  { outcome, recorded, replayed: asked }: ShadowResult,
): string | undefined {
  // A fork that ended before it had a place asked for nothing beyond what it took over.
  const replayed = run.started_at === null ? asked.slice(0, recorded.length) : asked
  const isOwnEnd =
    run.status === 'completed' || (run.status === 'failed' && ownFailures.has(run.reason ?? ''))
  if (outcome?.kind === 'blocked') {
    // Cancelled or out of time, a run may have been blocked for good before.
    return isOwnEnd ? outcome.detail : undefined
  }
  if (JSON.stringify(recorded) !== JSON.stringify(replayed))
    return `recorded ${recorded.join(', ')}; replayed ${replayed.join(', ')}`
  if (!isOwnEnd) return undefined
  if (outcome?.kind !== run.status)
    return `the replay ${outcome === undefined ? 'waits' : `is ${outcome.kind}`}`
  if (outcome.kind === 'completed' && JSON.stringify(outcome.result) !== JSON.stringify(run.result))
    return `the replay gives ${JSON.stringify(outcome.result)} and not ${JSON.stringify(run.result)}`
  return undefined
}

/** Reasons of failures that come out of the definition; others come from limits and people. */
const ownFailures = new Set(['workflow_failed', 'step_failed', 'child_failed'])
