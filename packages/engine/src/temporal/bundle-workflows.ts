import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadSdk } from './load-sdk.ts'
import type { BundledVersions } from './start-facts.ts'

/** A definition that goes into a bundle: its own bundle is one ESM file. */
export type BundledDefinition = { workflow: string; version: string; hash: string; source: string }

/** Paths of modules that the sandbox loads besides. */
export type BundleModules = { interceptors?: readonly string[]; failureConverter?: string }

/**
 * What a cluster's worker executes: the definitions as they are stored and the adapter, nothing else. Takes one to three
 * seconds; with `cache`, a file is made once.
 */
export async function bundleWorkflows(
  definitions: readonly BundledDefinition[],
  modules: BundleModules = {},
  cache?: { dir: string; name: string },
): Promise<string> {
  const path = cache && join(cache.dir, `${cache.name}.temporal.js`)
  const cached = path && (await readFile(path, 'utf8').catch(() => undefined))
  if (cached !== undefined) return cached
  const dir = await mkdtemp(join(tmpdir(), 'kyros-bundle-'))
  try {
    const code = await bundleIn(dir, definitions, modules)
    if (path !== undefined && cache !== undefined) {
      await mkdir(cache.dir, { recursive: true, mode: 0o700 })
      const whole = `${path}.${process.pid}`
      await writeFile(whole, code, { mode: 0o600 })
      await rename(whole, path)
    }
    return code
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Temporal bundles with webpack. */
async function bundleIn(
  dir: string,
  definitions: readonly BundledDefinition[],
  { interceptors = [], failureConverter }: BundleModules,
): Promise<string> {
  const { bundleWorkflowCode, logger } = await loadSdk()
  const adapter = fileURLToPath(import.meta.resolve('./workflow-adapter.ts'))
  const entry = join(dir, 'entry.mjs')
  for (const { hash, source } of definitions) await writeFile(join(dir, `${hash}.mjs`), source)
  await writeFile(entry, entryText(adapter, definitions))
  const { code } = await bundleWorkflowCode({
    workflowsPath: entry,
    preloadModules: [fileURLToPath(import.meta.resolve('./sandbox-preload.ts'))],
    workflowInterceptorModules: [fileURLToPath(import.meta.resolve('./adapter-phase.ts')), ...interceptors],
    ...(failureConverter === undefined ? {} : { failureConverterPath: failureConverter }),
    logger,
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, modules: modulesFor(config) },
    }),
  })
  return code
}

/** The entry lies in a temporary directory, above which there are no modules: look where ours are. */
function modulesFor(config: { resolve?: { modules?: string[] } }): string[] {
  const workflowPackage = fileURLToPath(import.meta.resolve('@temporalio/workflow'))
  const above = workflowPackage.lastIndexOf(`${sep}@temporalio${sep}`)
  return [...(config.resolve?.modules ?? []), workflowPackage.slice(0, above)]
}

function entryText(adapter: string, definitions: readonly BundledDefinition[]): string {
  const versions: BundledVersions = Object.fromEntries(
    definitions.map(({ workflow, version, hash }) => [workflow, { version, hash }]),
  )
  return [
    `import { toTemporal } from ${JSON.stringify(adapter)}`,
    `const versions = ${JSON.stringify(versions)}`,
    ...definitions.flatMap(({ workflow, hash }, index) => [
      `import * as bundle${index} from './${hash}.mjs'`,
      `const workflow${index} = toTemporal(bundle${index}, versions, ${JSON.stringify(workflow)})`,
      `export { workflow${index} as ${JSON.stringify(workflow)} }`,
    ]),
  ].join('\n')
}
