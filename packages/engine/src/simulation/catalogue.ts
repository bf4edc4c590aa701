import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { type LoadedDefinition, prepareDefinitions } from '../definitions/definitions.ts'
import { testWorkflow } from '../fixtures/catalogue.ts'

/** Every definition that worlds use, bundled and loaded once for all of them. */
export type Catalogue = {
  readonly workflows: readonly CatalogueEntry[]
  readonly cacheDir: string
  loaded(hash: string): LoadedDefinition | undefined
}

const fixtures = [
  'sequence',
  'parallel',
  'race',
  'abandoning',
  'retrying',
  'catching',
  'timed',
  'beating',
  'sleeping',
  'shielding',
  'stubborn',
  'collecting',
  'collecting_late',
  'buggy',
  'refusing',
  'stuck',
  'careless',
  'dice',
  'wide',
  'keyed',
  'mixed',
] as const

export type Fixture = (typeof fixtures)[number]
export const fixtureNames: readonly Fixture[] = fixtures

const programs = ['program', 'queued'].map(
  (name): CatalogueEntry => ({ ...testWorkflow(name), entry: new URL('./program.ts', import.meta.url) }),
)

/** Bundles and loads; must come before the globals are replaced, because it reads and writes files. */
export async function prepareCatalogue(): Promise<Catalogue> {
  const workflows = [...programs, ...fixtures.map((name) => testWorkflow(name))]
  const cacheDir = join(tmpdir(), 'kyros-simulation-cache')
  const store = await openStore({ dataDir: ':memory:' })
  const definitions = await prepareDefinitions({ store, workflows, cacheDir, nowMs: 0 })
  const loaded = new Map<string, LoadedDefinition>()
  for (const { hash } of definitions.startable.values()) {
    const definition = await definitions.load(hash)
    if (definition !== undefined) loaded.set(hash, definition)
  }
  await store.close()
  return { workflows, cacheDir, loaded: (hash) => loaded.get(hash) }
}

/** The same with some of the workflows: a process starts the faster. */
export function withWorkflows(catalogue: Catalogue, names: readonly string[]): Catalogue {
  return { ...catalogue, workflows: catalogue.workflows.filter(({ name }) => names.includes(name)) }
}
