import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import { withPayloads } from '../embedded/history.ts'
import { readFacts } from '../embedded/run-facts.ts'
import { bundleWorkflows } from './bundle-workflows.ts'
import { type ConvertedRun, convertHistory, type TemporalHistory } from './convert-history.ts'
import { loadSdk } from './load-sdk.ts'

/** A recorded run with the bundle to replay it on. */
export type ConformHistory = {
  run: ConvertedRun
  /** The bundle: one ESM file. */
  source: string
  /** sha256 of the bundle. */
  definition: string
  events: readonly RunEvent[]
}

export type ConformResult = {
  runId: string
  workflow: string
  definition: string
  temporalEvents: number
} & (
  | { ok: true }
  /** `message` says which command differs (TMPRL1100), or what else Temporal's core objects to. */
  | { ok: false; message: string }
)

/**
 * Replays recorded histories on the real Temporal core, offline: what it accepts, Temporal would have run the same way.
 * Loads Temporal's SDK (176 MB on disk) on the first call, and takes about a second for each definition.
 */
export async function conform(options: { histories: readonly ConformHistory[] }): Promise<ConformResult[]> {
  const results: ConformResult[] = []
  for (const group of Map.groupBy(options.histories, (history) => history.definition).values()) {
    results.push(...(await replayGroup(group)))
  }
  return results
}

/** The recorded history of a stored run, ready for `conform`. @throws run_not_found */
export async function readConformHistory(store: Store, runId: string): Promise<ConformHistory> {
  const record = await store.runs.get(runId)
  if (record === undefined) throw problem('run_not_found', { detail: `There is no run ${runId}.` })
  const stored = await store.definitions.get(record.definition)
  if (stored === undefined) {
    const detail = `The run ${runId} has no stored definition, so there is nothing to replay it on.`
    throw problem('run_not_found', { detail })
  }
  const events: RunEvent[] = []
  for (const event of await store.events.ofRun(runId)) {
    if (isRunEvent(event)) events.push(await withPayloads(event, store))
  }
  const { type: workflow, version } = record
  const { attempt, input } = await readFacts(record, { origin: undefined }, store)
  return {
    run: { runId, workflow, version, attempt, input },
    source: stored.source,
    definition: stored.hash,
    events,
  }
}

async function replayGroup(group: readonly ConformHistory[]): Promise<ConformResult[]> {
  const first = group[0]
  if (first === undefined) return []
  const { Worker } = await loadSdk()
  const { workflow, version } = first.run
  const code = await bundleWorkflows([{ workflow, version, hash: first.definition, source: first.source }])
  const results: ConformResult[] = []
  for (const { run, events, definition } of group) {
    const { runId, workflow } = run
    // The bundle is that of the last part; what ran another before it is not what is to be replayed here.
    const all = convertHistory(run, events)
    const parts = all.filter((part) => part.definition === all.at(-1)?.definition)
    const temporalEvents = parts.reduce((sum, { history }) => sum + history.events.length, 0)
    const base = { runId, workflow, definition, temporalEvents }
    const message = await replayParts(Worker, code, parts, runId)
    results.push(message === undefined ? { ...base, ok: true } : { ...base, ok: false, message })
  }
  return results
}

/** What Temporal's core objects to first; undefined when it accepts all of them. */
async function replayParts(
  worker: TemporalWorker,
  code: string,
  parts: readonly { history: TemporalHistory }[],
  runId: string,
): Promise<string | undefined> {
  for (const { history } of parts) {
    const message = await replay(worker, code, history, runId)
    if (message !== undefined) return message
  }
  return undefined
}

type TemporalWorker = Awaited<ReturnType<typeof loadSdk>>['Worker']

async function replay(
  worker: TemporalWorker,
  code: string,
  history: TemporalHistory,
  runId: string,
): Promise<string | undefined> {
  try {
    await worker.runReplayHistory({ workflowBundle: { code }, replayName: 'kyros-conform' }, history, runId)
    return undefined
  } catch (error) {
    return objectionOf(error instanceof Error ? error.message : String(error))
  }
}

/** The sentence that says which command differs, out of the core's debug output. */
function objectionOf(message: string): string {
  const found = /\[TMPRL1100\][^"\\]*/.exec(message)
  return found?.[0] ?? message
}
