import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { Bundle, BundleSource } from './bundle-definition.ts'
import { hashOf } from './hash-of.ts'

/** Part of every cache key: raise it when the way of bundling changes. */
const bundlerVersion = 2

type Input = { path: string; sha256: string }
type Manifest = { key: string; hash: string; inputs: Input[] } & Partial<Pick<Bundle, 'warnings' | 'steps'>>

export type CachedBundle = Pick<Bundle, 'hash' | 'source' | 'warnings' | 'steps'> & { fromCache: boolean }

/**
 * Bundles of definitions on disk. `bundle` starts the bundler only when a source file has changed, so a normal start
 * reads a few small files and nothing else.
 */
export type DefinitionCache = {
  /** @throws DefinitionError */
  bundle(from: BundleSource): Promise<CachedBundle>
  /** The module that tells what the file of a definition says about it, and the source map beside it. */
  description(file: string): Promise<{ path: string; map: string } | { faults: WorkflowFault[] }>
  /** Absolute path of the module of a bundle, written if it is not there. */
  file(hash: string, source: () => Promise<string>): Promise<string>
}

export function createDefinitionCache(cacheDir: string): DefinitionCache {
  const fileOf = (hash: string) => join(cacheDir, 'definitions', `${hash}.mjs`)
  const file: DefinitionCache['file'] = async (hash, source) => {
    const path = fileOf(hash)
    if ((await intact(path, hash)) === undefined) await writeWhole(path, await source())
    return path
  }
  return {
    file,
    bundle: async (from) => {
      const key = `${bundlerVersion}:${from.exportName ?? 'workflow'}:${fileURLToPath(from.entry)}`
      const manifestPath = join(cacheDir, 'bundles', `${from.name}.json`)
      const baseDir = dirname(fileURLToPath(from.entry))
      const known = await readManifest(manifestPath, key, baseDir)
      const kept = known === undefined ? undefined : await intact(fileOf(known.hash), known.hash)
      if (known !== undefined && kept !== undefined) {
        const { hash, warnings = [], steps = [] } = known
        return { hash, source: kept, warnings, steps, fromCache: true }
      }
      // Loaded only now: a normal start makes no bundle.
      const { bundleDefinition } = await import('./bundle-definition.ts')
      const { hash, source, inputs, warnings, steps } = await bundleDefinition(from)
      await file(hash, async () => source)
      const manifest = { key, hash, inputs: await hashed(inputs, baseDir), warnings, steps }
      await writeWhole(manifestPath, JSON.stringify(manifest))
      return { hash, source, warnings, steps, fromCache: false }
    },
    description: (path) => describe(join(cacheDir, 'descriptions'), path),
  }
}

async function describe(dir: string, file: string): ReturnType<DefinitionCache['description']> {
  const key = `${bundlerVersion}:${file}`
  const manifestPath = join(dir, `${hashOf(file)}.json`)
  const known = await readManifest(manifestPath, key, dirname(file))
  const pathOf = (hash: string) => join(dir, `${hash}.mjs`)
  if (known !== undefined && (await intact(pathOf(known.hash), known.hash)) !== undefined) {
    const map = await readFile(`${pathOf(known.hash)}.map`, 'utf8').catch(() => undefined)
    if (map !== undefined) return { path: pathOf(known.hash), map }
  }
  const { bundleDescription } = await import('./describe-workflow.ts')
  const built = await bundleDescription(file)
  if ('faults' in built) return built
  const { source, map, inputs } = built.bundle
  const hash = hashOf(source)
  await writeWhole(pathOf(hash), source)
  await writeWhole(`${pathOf(hash)}.map`, map)
  await writeWhole(manifestPath, JSON.stringify({ key, hash, inputs: await hashed(inputs, dirname(file)) }))
  return { path: pathOf(hash), map }
}

async function intact(path: string, hash: string): Promise<string | undefined> {
  const source = await readFile(path, 'utf8').catch(() => undefined)
  return source !== undefined && hashOf(source) === hash ? source : undefined
}

/** Written beside and renamed, so that a crash or a second writer never leaves half a file. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const beside = `${path}.${randomUUID()}.tmp`
  await writeFile(beside, text)
  await rename(beside, path)
}

async function sha256Of(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex')
}

async function readManifest(path: string, key: string, baseDir: string): Promise<Manifest | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const manifest = text === undefined ? undefined : parseManifest(text)
  if (manifest?.key !== key) return undefined
  const hashes = await Promise.all(manifest.inputs.map((input) => sha256Of(resolve(baseDir, input.path))))
  return manifest.inputs.every((input, index) => input.sha256 === hashes[index]) ? manifest : undefined
}

function parseManifest(text: string): Manifest | undefined {
  try {
    // Border cast: only this file writes manifests; a damaged one fails the hash checks that follow.
    return JSON.parse(text) as Manifest
  } catch {
    return undefined
  }
}

function hashed(inputs: readonly string[], baseDir: string): Promise<Input[]> {
  return Promise.all(
    inputs.map(async (path) => ({
      path: relative(baseDir, path),
      sha256: (await sha256Of(path)) ?? '',
    })),
  )
}
