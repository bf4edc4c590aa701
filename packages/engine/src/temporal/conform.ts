import { fileURLToPath } from 'node:url'
import { type BundledDefinition, bundleWorkflows } from './bundle-workflows.ts'
import { convertHistory, type TemporalHistory } from './convert-history.ts'
import { hidePayloads } from './executions-json.ts'
import { explainNondeterminism } from './explain-nondeterminism.ts'
import type { ClusterHistory, ConformHistory } from './read-conform-history.ts'
import { ReplayWorker } from './replay-worker.ts'

export type { ClusterHistory, ConformHistory } from './read-conform-history.ts'

type AnyHistory = ConformHistory | ClusterHistory

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
  /** Of the embedded engine, which are converted, and of clusters, which are replayed as they are. */
  histories: readonly AnyHistory[]
  /** Called after each, in the order of replay. */
  onResult?: (result: ConformResult) => void
}

/**
 * Replays recorded histories on the real Temporal core, offline: what it accepts, Temporal would have run the same way.
 * Loads Temporal's SDK (176 MB on disk) on the first call. Definitions share bundles, each of which takes seconds; a
 * history then takes some milliseconds. The results are in the order of the histories.
 */
export async function conform({ histories, onResult }: ConformOptions): Promise<ConformResult[]> {
  const results = new Map<AnyHistory, ConformResult>()
  const recorded = histories.flatMap((one) => ('events' in one ? [one] : []))
  const clustered = histories.flatMap((one) => ('code' in one ? [one] : []))
  const groups = [...groupsOf(recorded), ...Map.groupBy(clustered, ({ code }) => code).values()]
  for (const group of groups) {
    for await (const { history, result } of replayGroup(group)) {
      results.set(history, result)
      onResult?.(result)
    }
  }
  return histories.flatMap((history) => results.get(history) ?? [])
}

/** A bundle becomes slow to load with more. */
const maxDefinitions = 50

type Group = { definitions: Map<string, BundledDefinition>; histories: ConformHistory[] }

/** A bundle holds one definition of a name: another of the same name goes into the next. */
function groupsOf(histories: readonly ConformHistory[]): Group[] {
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

type Replayed = { history: AnyHistory; result: ConformResult }

async function* replayGroup(group: Group | ClusterHistory[]): AsyncGenerator<Replayed> {
  const histories: AnyHistory[] = 'definitions' in group ? group.histories : group
  const worker = new ReplayWorker('definitions' in group ? await bundleFor(group) : (group[0]?.code ?? ''))
  try {
    for (const history of histories) {
      const { runId, workflow } = history.run
      const parts = partsOf(history)
      const temporalEvents = parts.reduce((sum, { events }) => sum + events.length, 0)
      const base = { runId, workflow, definition: history.definition, temporalEvents }
      const objection = await firstObjection(worker, runId, parts)
      yield { history, result: objection === undefined ? { ...base, ok: true } : { ...base, ...objection } }
    }
  } finally {
    await worker.close()
  }
}

function bundleFor({ definitions }: Group): Promise<string> {
  const interceptors = ['./run-interceptors.ts', './replay-interceptors.ts'].map((path) =>
    fileURLToPath(import.meta.resolve(path)),
  )
  return bundleWorkflows([...definitions.values()], { interceptors })
}

const taskEnd = 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED'

/** The bundle is that of the last part; what ran another before it is not what is to be replayed here. */
function partsOf(history: AnyHistory): TemporalHistory[] {
  if ('code' in history)
    // Border cast: Temporal's own JSON of a history has this form.
    return history.histories.map((part) => hidePayloads(part) as TemporalHistory)
  const all = convertHistory(history.run, history.events)
  const last = all.at(-1)?.definition
  return all.flatMap(({ definition, history: part }) =>
    // A run that ended before its definition was asked has nothing to replay, and the core does not survive it.
    definition === last && part.events.some(({ eventType }) => eventType === taskEnd) ? [part] : [],
  )
}

type Objection = { ok: false; message: string; core: string }

/** What Temporal's core objects to first; undefined when it accepts all parts. */
async function firstObjection(
  worker: ReplayWorker,
  runId: string,
  parts: readonly TemporalHistory[],
): Promise<Objection | undefined> {
  for (const history of parts) {
    const core = await worker.replay(history, runId)
    if (core !== undefined) {
      return { ok: false, message: explainNondeterminism(core, history.events), core }
    }
  }
  return undefined
}
