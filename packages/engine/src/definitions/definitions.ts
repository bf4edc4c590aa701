import { pathToFileURL } from 'node:url'
import type { JsonObject } from '@kyros/contract/json'
import type { Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import type { Cancelled, StepFailure, WorkflowDefinition } from '@kyros/workflows/define'
import { createDefinitionCache } from './definition-cache.ts'

/** A bundle that is loaded: its definition, and its own copies of the errors that the engine throws into it. */
export type LoadedDefinition = {
  readonly hash: string
  readonly definition: WorkflowDefinition
  readonly Cancelled: typeof Cancelled
  readonly StepFailure: typeof StepFailure
}

/** A workflow that can be started, with the hash of what a run started now executes. */
export type StartableWorkflow = {
  readonly entry: CatalogueEntry
  readonly hash: string
  readonly version: string
}

export type Definitions = {
  /** By name: the newest definition of every workflow in the catalogue. */
  readonly startable: ReadonlyMap<string, StartableWorkflow>
  /** One module instance per hash; undefined when no such bundle was ever stored. */
  load(hash: string): Promise<LoadedDefinition | undefined>
}

/** Bundles what changed, stores what is new, and loads what a run needs. Durable when this resolves. */
export async function prepareDefinitions(options: {
  store: Store
  workflows: readonly CatalogueEntry[]
  cacheDir: string
  nowMs: number
}): Promise<Definitions> {
  const cache = createDefinitionCache(options.cacheDir)
  const startable = new Map<string, StartableWorkflow>()
  for (const entry of options.workflows) {
    const bundle = await cache.bundle(entry)
    if ((await options.store.definitions.get(bundle.hash)) === undefined) {
      const { name, version } = entry
      const definition = { hash: bundle.hash, name, version, source: bundle.source, createdMs: options.nowMs }
      await options.store.write({ kind: 'store_definition', definition })
    }
    startable.set(entry.name, { entry, hash: bundle.hash, version: entry.version })
  }
  const loaded = new Map<string, Promise<LoadedDefinition | undefined>>()
  const load = (hash: string): Promise<LoadedDefinition | undefined> => {
    const known = loaded.get(hash)
    if (known !== undefined) return known
    const loading = loadStored(options.store, cache, hash)
    loaded.set(hash, loading)
    loading.then(
      (found) => found ?? loaded.delete(hash),
      () => loaded.delete(hash),
    )
    return loading
  }
  return { startable, load }
}

async function loadStored(
  store: Store,
  cache: ReturnType<typeof createDefinitionCache>,
  hash: string,
): Promise<LoadedDefinition | undefined> {
  const stored = await store.definitions.get(hash)
  if (stored === undefined) return undefined
  const path = await cache.file(hash, async () => stored.source)
  return loadBundle(hash, path)
}

/** Loads a bundle from its file. @throws when the module has no definition. */
export async function loadBundle(hash: string, path: string): Promise<LoadedDefinition> {
  const module: JsonObject = await import(/* @vite-ignore */ pathToFileURL(path).href)
  if (!isBundle(module)) throw new Error(`The bundle ${hash} does not hold a workflow definition.`)
  return { hash, definition: module.definition, Cancelled: module.Cancelled, StepFailure: module.StepFailure }
}

type BundleExports = Omit<LoadedDefinition, 'hash'>

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
