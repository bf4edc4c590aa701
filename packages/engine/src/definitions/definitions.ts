import { pathToFileURL } from 'node:url'
import type { JsonObject } from '@kyros/contract/json'
import type { Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import type {
  Cancelled,
  ChildFailure,
  CompensationFailure,
  ScopeTimedOut,
  StepFailure,
  WaitpointExpired,
  WorkflowDefinition,
} from '@kyros/workflows/define'
import { createDefinitionCache, type DefinitionCache } from './definition-cache.ts'

/** A bundle that is loaded: its definition, and its own copies of the errors that the engine throws into it. */
export type LoadedDefinition = {
  readonly hash: string
  readonly definition: WorkflowDefinition
  readonly Cancelled: typeof Cancelled
  readonly StepFailure: typeof StepFailure
  /** A line of the bundle, counted from 1: where a bug was is told with the code that stands there. */
  readonly lineAt?: (line: number) => string | undefined
  /** Bundles that were made before there were these do not hold them. */
  readonly ChildFailure?: typeof ChildFailure
  readonly WaitpointExpired?: typeof WaitpointExpired
  readonly ScopeTimedOut?: typeof ScopeTimedOut
  readonly CompensationFailure?: typeof CompensationFailure
}

/** A workflow that can be started, with the hash of what a run started now executes. */
export type StartableWorkflow = {
  readonly entry: CatalogueEntry
  readonly hash: string
  readonly version: string
}

/** A definition in the store. Those that cannot be started are kept for runs that began on them. */
export type StoredVersion = {
  readonly hash: string
  readonly workflow: string
  readonly version: string
  readonly createdMs: number
  readonly isStartable: boolean
}

/** What became of a workflow when the definitions were replaced; `from` or `to` is missing where it came or went. */
export type DefinitionChange = { name: string; from?: string; to?: string }

export type Definitions = {
  /** By name: the newest definition of every workflow in the catalogue. */
  readonly startable: ReadonlyMap<string, StartableWorkflow>
  /** One module instance per hash; undefined when no such bundle was ever stored. */
  load(hash: string): Promise<LoadedDefinition | undefined>
  /** What `load` has given before, at once. */
  loaded(hash: string): LoadedDefinition | undefined
  /**
   * Makes these workflows startable and no other, but for `kept`, which stay as they are. Runs under way keep what they
   * began with. Durable when this resolves. @throws DefinitionError, and then nothing has changed
   */
  replace(workflows: readonly CatalogueEntry[], kept?: ReadonlySet<string>): Promise<DefinitionChange[]>
  /** Every definition that was ever stored here, newest first. */
  stored(): Promise<StoredVersion[]>
}

/** Bundles what changed, stores what is new, and loads what a run needs. Durable when this resolves. */
export async function prepareDefinitions(options: {
  store: Store
  workflows: readonly CatalogueEntry[]
  cacheDir: string
  nowMs: number | (() => number)
}): Promise<Definitions> {
  const { store } = options
  const cache = createDefinitionCache(options.cacheDir)
  const startable = new Map<string, StartableWorkflow>()
  const given = options.nowMs
  const nowMs = typeof given === 'number' ? () => given : given
  const replace: Definitions['replace'] = async (workflows, kept) => {
    const next = new Map<string, StartableWorkflow>()
    for (const entry of workflows) next.set(entry.name, await prepare(store, cache, entry, nowMs()))
    for (const name of kept ?? []) {
      const before = startable.get(name)
      if (before !== undefined && !next.has(name)) next.set(name, before)
    }
    const changes = changesBetween(startable, next)
    startable.clear()
    for (const [name, workflow] of next) startable.set(name, workflow)
    return changes
  }
  await replace(options.workflows)
  return {
    startable,
    ...createLoad(store, cache),
    replace,
    stored: () => storedVersions(store, startable),
  }
}

async function prepare(
  store: Store,
  cache: DefinitionCache,
  entry: CatalogueEntry,
  nowMs: number,
): Promise<StartableWorkflow> {
  const bundle = await cache.bundle(entry)
  if ((await store.definitions.get(bundle.hash)) === undefined) {
    const { name, version } = entry
    const definition = { hash: bundle.hash, name, version, source: bundle.source, createdMs: nowMs }
    await store.write({ kind: 'store_definition', definition })
  }
  return { entry, hash: bundle.hash, version: entry.version }
}

function changesBetween(
  before: ReadonlyMap<string, StartableWorkflow>,
  after: ReadonlyMap<string, StartableWorkflow>,
): DefinitionChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [from, to] = [before.get(name)?.hash, after.get(name)?.hash]
    if (from === to) return []
    return [{ name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }]
  })
}

async function storedVersions(
  store: Store,
  startable: ReadonlyMap<string, StartableWorkflow>,
): Promise<StoredVersion[]> {
  const stored = await store.definitions.list()
  return stored
    .map(({ hash, name, version, createdMs }) => ({
      hash,
      workflow: name,
      version,
      createdMs,
      isStartable: startable.get(name)?.hash === hash,
    }))
    .sort((a, b) => b.createdMs - a.createdMs)
}

function createLoad(store: Store, cache: DefinitionCache): Pick<Definitions, 'load' | 'loaded'> {
  const atHand = new Map<string, LoadedDefinition>()
  const loaded = new Map<string, Promise<LoadedDefinition | undefined>>()
  const load: Definitions['load'] = (hash) => {
    const known = loaded.get(hash)
    if (known !== undefined) return known
    const loading = loadStored(store, cache, hash)
    loaded.set(hash, loading)
    loading.then(
      (found) => (found === undefined ? loaded.delete(hash) : atHand.set(hash, found)),
      () => loaded.delete(hash),
    )
    return loading
  }
  return { load, loaded: (hash) => atHand.get(hash) }
}

async function loadStored(
  store: Store,
  cache: DefinitionCache,
  hash: string,
): Promise<LoadedDefinition | undefined> {
  const stored = await store.definitions.get(hash)
  if (stored === undefined) return undefined
  const path = await cache.file(hash, async () => stored.source)
  const loaded = await loadBundle(hash, path)
  return { ...loaded, lineAt: (line) => stored.source.split('\n')[line - 1]?.trim() }
}

/** Loads a bundle from its file. @throws when the module has no definition. */
export async function loadBundle(hash: string, path: string): Promise<LoadedDefinition> {
  const module: JsonObject = await import(/* @vite-ignore */ pathToFileURL(path).href)
  if (!isBundle(module)) throw new Error(`The bundle ${hash} does not hold a workflow definition.`)
  return { ...module, hash }
}

type BundleExports = Omit<LoadedDefinition, 'hash' | 'lineAt'>

function isBundle(module: object): module is BundleExports {
  return (
    'definition' in module &&
    typeof module.definition === 'object' &&
    'Cancelled' in module &&
    typeof module.Cancelled === 'function' &&
    'StepFailure' in module &&
    typeof module.StepFailure === 'function'
  )
}
