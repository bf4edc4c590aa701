import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BundleSource, bundleDefinition, hashOf } from './bundle-definition.ts'

/** Part of every cache key: raise it when the way of bundling changes. */
const bundlerVersion = 1

type Manifest = { key: string; hash: string; inputs: { path: string; sha256: string }[] }

/**
 * Bundles of definitions on disk. `bundle` starts the bundler only when a source file has changed, so a normal start
 * reads a few small files and nothing else.
 */
export type DefinitionCache = {
  bundle(from: BundleSource): Promise<{ hash: string; source: string; fromCache: boolean }>
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
      const key = `${bundlerVersion}:${from.exportName ?? 'workflow'}`
      const manifestPath = join(cacheDir, 'bundles', `${from.name}.json`)
      const known = await readManifest(manifestPath, key, dirname(fileURLToPath(from.entry)))
      const kept = known === undefined ? undefined : await intact(fileOf(known), known)
      if (known !== undefined && kept !== undefined) return { hash: known, source: kept, fromCache: true }
      const bundle = await bundleDefinition(from)
      await file(bundle.hash, async () => bundle.source)
      await writeWhole(manifestPath, JSON.stringify(await manifestOf(key, from, bundle)))
      return { hash: bundle.hash, source: bundle.source, fromCache: false }
    },
  }
}

async function intact(path: string, hash: string): Promise<string | undefined> {
  const source = await readFile(path, 'utf8').catch(() => undefined)
  return source !== undefined && hashOf(source) === hash ? source : undefined
}

/** Written beside and renamed, so that a crash or a second process never leaves half a file. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const beside = `${path}.${process.pid}.tmp`
  await writeFile(beside, text)
  await rename(beside, path)
}

async function sha256Of(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex')
}

async function readManifest(path: string, key: string, baseDir: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const manifest = parseManifest(text)
  if (manifest?.key !== key) return undefined
  const hashes = await Promise.all(manifest.inputs.map((input) => sha256Of(resolve(baseDir, input.path))))
  const unchanged = manifest.inputs.every((input, index) => input.sha256 === hashes[index])
  return unchanged ? manifest.hash : undefined
}

function parseManifest(text: string): Manifest | undefined {
  try {
    // Border cast: only this file writes manifests; a damaged one fails the hash checks that follow.
    return JSON.parse(text) as Manifest
  } catch {
    return undefined
  }
}

async function manifestOf(
  key: string,
  from: BundleSource,
  bundle: { hash: string; inputs: string[] },
): Promise<Manifest> {
  const baseDir = dirname(fileURLToPath(from.entry))
  const inputs = await Promise.all(
    bundle.inputs.map(async (path) => ({
      path: relative(baseDir, path),
      sha256: (await sha256Of(path)) ?? '',
    })),
  )
  return { key, hash: bundle.hash, inputs }
}
