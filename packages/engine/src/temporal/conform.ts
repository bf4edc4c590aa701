import { fileURLToPath } from 'node:url'
import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import { withPayloads } from '../embedded/history.ts'
import { readFacts } from '../embedded/run-facts.ts'
import { type BundledDefinition, bundleWorkflows } from './bundle-workflows.ts'
import { type ConvertedRun, convertHistory, type TemporalHistory } from './convert-history.ts'
import { explainNondeterminism } from './explain-nondeterminism.ts'
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
  /** `message` says in our words which command differs; `core` is what Temporal's core said. */
  | { ok: false; message: string; core: string }
)

export type ConformOptions = {
  histories: readonly ConformHistory[]
  /** Called after each, in the order of replay. */
  onResult?: (result: ConformResult) => void
}

/**
 * Replays recorded histories on the real Temporal core, offline: what it accepts, Temporal would have run the same way.
 * Loads Temporal's SDK (176 MB on disk) on the first call. Definitions share bundles, each of which takes seconds; a
 * history then takes some milliseconds. The results are in the order of the histories.
 */
export async function conform({ histories, onResult }: ConformOptions): Promise<ConformResult[]> {
  const results = new Map<ConformHistory, ConformResult>()
  for (const group of groups(histories)) {
    for await (const { history, result } of replayGroup(group)) {
      results.set(history, result)
      onResult?.(result)
    }
  }
  return histories.flatMap((history) => results.get(history) ?? [])
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

/** A bundle becomes slow to load with more. */
const maxDefinitions = 50

type Group = { definitions: Map<string, BundledDefinition>; histories: ConformHistory[] }

/** A bundle holds one definition of a name: another of the same name goes into the next. */
function groups(histories: readonly ConformHistory[]): Group[] {
  const found: Group[] = []
  for (const history of histories) {
    const { run, definition: hash, source } = history
    const { workflow, version } = run
    const fits = ({ definitions }: Group) => {
      const other = definitions.get(workflow)
      return other === undefined ? definitions.size < maxDefinitions : other.hash === hash
    }
    let group = found.find(fits)
    if (group === undefined) {
      group = { definitions: new Map(), histories: [] }
      found.push(group)
    }
    group.definitions.set(workflow, { workflow, version, hash, source })
    group.histories.push(history)
  }
  return found
}

type Replayed = { history: ConformHistory; result: ConformResult }

async function* replayGroup({ definitions, histories }: Group): AsyncGenerator<Replayed> {
  const { Worker } = await loadSdk()
  const interceptors = fileURLToPath(import.meta.resolve('./replay-interceptors.ts'))
  const code = await bundleWorkflows([...definitions.values()], undefined, [interceptors])
  const parts = histories.map((history) => ({ history, parts: partsOf(history) }))
  const all = parts.flatMap(({ history, parts }) =>
    parts.map((part) => ({ history: part, workflowId: history.run.runId })),
  )
  const options = { workflowBundle: { code }, replayName: 'kyros-conform' }
  const replays = Worker.runReplayHistories(options, all)
  try {
    for (const { history, parts: own } of parts) {
      const { runId, workflow } = history.run
      const temporalEvents = own.reduce((sum, { events }) => sum + events.length, 0)
      const base = { runId, workflow, definition: history.definition, temporalEvents }
      const objection = await firstObjection(replays, own)
      const result = objection === undefined ? { ...base, ok: true as const } : { ...base, ...objection }
      yield { history, result }
    }
  } finally {
    await replays.return?.()
  }
}

/** The bundle is that of the last part; what ran another before it is not what is to be replayed here. */
function partsOf({ run, events }: ConformHistory): TemporalHistory[] {
  const all = convertHistory(run, events)
  const last = all.at(-1)?.definition
  return all.flatMap(({ definition, history }) =>
    definition === last && history.events.length > 0 ? [history] : [],
  )
}

type Objection = { ok: false; message: string; core: string }

/** What Temporal's core objects to first; undefined when it accepts all parts. */
async function firstObjection(
  replays: AsyncIterator<{ error?: Error | undefined }>,
  parts: readonly TemporalHistory[],
): Promise<Objection | undefined> {
  let objection: Objection | undefined
  for (const { events } of parts) {
    const replay = await replays.next()
    const error: Error | undefined =
      replay.done === true ? new Error('Nothing was replayed.') : replay.value.error
    if (error === undefined || objection !== undefined) continue
    const { message: core } = error
    objection = { ok: false, message: explainNondeterminism(core, events), core }
  }
  return objection
}
