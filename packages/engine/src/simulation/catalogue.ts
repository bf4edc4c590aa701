import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { catalogue as builtIn, type CatalogueEntry } from '@kyros/workflows/catalogue'
import { type LoadedDefinition, prepareDefinitions } from '../definitions/definitions.ts'
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
  const loaded = new Map<string, LoadedDefinition>()
  // Each version's processes have a cache of their own, which knows the bundles of both.
  await prepare([nextProgram], cacheDir, loaded)
  await prepare(workflows, cacheDir, loaded)
  await prepare(workflows, nextCacheDir, loaded)
  await prepare(withNext(workflows), nextCacheDir, loaded)
  return { workflows, cacheDir, loaded: (hash) => loaded.get(hash) }
}

async function prepare(
  workflows: readonly CatalogueEntry[],
  dir: string,
  loaded: Map<string, LoadedDefinition>,
): Promise<void> {
  const store = await openStore({ dataDir: ':memory:' })
  const definitions = await prepareDefinitions({ store, workflows, cacheDir: dir, nowMs: 0 })
  for (const { hash } of definitions.startable.values()) {
    const definition = await definitions.load(hash)
    if (definition !== undefined) loaded.set(hash, definition)
  }
  await store.close()
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
