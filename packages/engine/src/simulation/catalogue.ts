import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { catalogue as builtIn, type CatalogueEntry } from '@kyros/workflows/catalogue'
import { createDefinitionCache } from '../definitions/definition-cache.ts'
import { type LoadedDefinition, loadBundle, prepareDefinitions } from '../definitions/definitions.ts'
import { askingWorkflows, testWorkflow, testWorkflows } from '../fixtures/catalogue.ts'
import { limits } from './limits.ts'
import { hashText } from './random.ts'

/** Every definition that worlds use, bundled and loaded once for all of them. */
export type Catalogue = {
  readonly workflows: readonly CatalogueEntry[]
  readonly cacheDir: string
  loaded(hash: string): LoadedDefinition | undefined
}

export const programNames: readonly string[] = ['program', ...Object.keys(limits)]
const programs = programNames.map((name) =>
  testWorkflow(name, name, new URL('./program.ts', import.meta.url)),
)

// Never cancelled before its time, this one would hold up every world for 60 seconds and more: `long` is a bug, anyway.
const withoutRuns = new Set(['long', 'not_json_input'])
const others = [...builtIn, ...testWorkflows, ...askingWorkflows].filter(({ name }) => !withoutRuns.has(name))

/** The next version of a program, for processes that are started behind a deploy. */
const nextProgram = {
  ...testWorkflow('program', 'programNext', new URL('./program.ts', import.meta.url)),
  version: '2.0.0',
}

/** What a world may run besides programs. */
export const otherNames: readonly string[] = [...new Set(others.map(({ name }) => name))]

/** Workflows that ask for children of another. */
const needs = new Map([
  ['parent', 'napping'],
  ['leaving_parent', 'napping'],
])

/** Steps of every workflow here. */
export const stepNames = [
  'First',
  'Second',
  'Third',
  'CleanUp',
  ...builtIn.flatMap(({ steps }) => steps.map(({ name }) => name)),
]

/** Bundles and loads; must come before the globals are replaced, because it reads and writes files. */
export async function prepareCatalogue(): Promise<Catalogue> {
  const workflows = [
    ...programs,
    ...otherNames.flatMap((name) => others.find((one) => one.name === name) ?? []),
  ]
  const names = new Set(workflows.map(({ name }) => name))
  // The second would take the place of the first in the cache, and a world would have to bundle, which takes real time.
  if (names.size < workflows.length) throw new Error('Two workflows of the simulation have the same name.')
  // Each version's processes have a cache of their own, which names the bundles of one version and has those of both.
  const first = await prepare(workflows, cacheDir)
  const next = await prepare(withNext(workflows), nextCacheDir)
  await keepAll(first, nextCacheDir)
  await keepAll(next, cacheDir)
  const loaded = new Map([...first, ...next])
  return { workflows, cacheDir, loaded: (hash) => loaded.get(hash)?.definition }
}

type Prepared = Map<string, { definition: LoadedDefinition; source: string }>

async function prepare(workflows: readonly CatalogueEntry[], dir: string): Promise<Prepared> {
  const store = await openStore({ dataDir: ':memory:' })
  const definitions = await prepareDefinitions({ store, workflows, cacheDir: dir, nowMs: 0 })
  const prepared: Prepared = new Map()
  for (const { hash } of definitions.startable.values()) {
    const definition = await definitions.load(hash)
    const stored = await store.definitions.get(hash)
    if (definition !== undefined && stored !== undefined)
      prepared.set(hash, { definition, source: stored.source })
  }
  await store.close()
  return prepared
}

/** Puts bundles into a cache without naming them there, and loads them from it once. */
async function keepAll(prepared: Prepared, dir: string): Promise<void> {
  const cache = createDefinitionCache(dir)
  for (const [hash, { source }] of prepared) {
    await loadBundle(hash, await cache.file(hash, async () => source))
  }
}

// A cache is of one checkout: another one has the same names for other files.
const cacheDir = join(tmpdir(), `kyros-simulation-cache-${hashText(import.meta.url) >>> 0}`)
const nextCacheDir = `${cacheDir}-next`

const withNext = (workflows: readonly CatalogueEntry[]) =>
  workflows.map((one) => (one.name === nextProgram.name ? nextProgram : one))

/** With the next version of `program` in the place of the first. */
export function deployed(catalogue: Catalogue): Catalogue {
  return { ...catalogue, workflows: withNext(catalogue.workflows), cacheDir: nextCacheDir }
}

/** The same with some of the workflows, and those that they need: a process starts the faster. */
export function withWorkflows(catalogue: Catalogue, names: readonly string[]): Catalogue {
  const wanted = new Set(names.flatMap((name) => [name, needs.get(name) ?? name]))
  return { ...catalogue, workflows: catalogue.workflows.filter(({ name }) => wanted.has(name)) }
}
