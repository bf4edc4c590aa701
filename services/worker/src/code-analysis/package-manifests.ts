import { dirname, join } from 'node:path/posix'
import type { SnapshotFile } from './manifest.ts'
import type { RepositoryPaths } from './repository-paths.ts'

/** What the analysis takes from a package.json; it is data and nothing of it is run. */
export type PackageManifest = {
  readonly file: SnapshotFile
  /** '.' at the top. */
  readonly folder: string
  readonly name: string | undefined
  readonly isPrivate: boolean
  readonly dependencies: readonly string[]
  /** Every kind of dependency. */
  readonly listed: ReadonlySet<string>
  readonly exports: unknown
  readonly entryPaths: readonly string[]
  readonly scripts: string
}

export function parsePackageManifest(file: SnapshotFile, text: string): PackageManifest | undefined {
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
  if (!isRecord(json)) return undefined
  const fields = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']
  const listed = new Set(fields.flatMap((field) => Object.keys(recordIn(json, field))))
  const { name } = json
  return {
    file,
    folder: dirname(file.path),
    name: typeof name === 'string' ? name : undefined,
    isPrivate: json.private === true,
    dependencies: Object.keys(recordIn(json, 'dependencies')),
    listed,
    exports: json.exports,
    entryPaths: [
      'main',
      'module',
      'browser',
      'types',
      'typings',
      'bin',
      'exports',
      'unpkg',
      'jsdelivr',
      'sideEffects',
      'imports',
    ].flatMap((field) => stringsIn(json[field])),
    scripts: JSON.stringify(recordIn(json, 'scripts')),
  }
}

function isRecord(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recordIn(record: { [key: string]: unknown }, field: string): { [key: string]: unknown } {
  const value = record[field]
  return isRecord(value) ? value : {}
}

const maxDepth = 6

function stringsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || depth > maxDepth) return []
  return Object.values(value).flatMap((item) => stringsIn(item, depth + 1))
}

/** The package name of an import specifier: `@scope/name/sub` → `@scope/name`. */
export function packageNameOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

/** Files of a workspace package that `specifier` may stand for, by its `exports` or by plain folders. */
export function resolveInPackage(
  owner: PackageManifest,
  specifier: string,
  paths: RepositoryPaths,
): SnapshotFile[] {
  const name = owner.name ?? ''
  const sub = specifier.length > name.length ? `.${specifier.slice(name.length)}` : '.'
  const targets = exportTargets(owner.exports, sub)
  const candidates =
    targets.length > 0
      ? targets
      : sub === '.'
        ? [...owner.entryPaths, 'index', 'src/index']
        : [sub, `src/${sub}`]
  const found = candidates
    .map((target) => paths.resolve(join(owner.folder, target)))
    .filter((file) => file !== undefined)
  return [...new Set(found)]
}

function exportTargets(exports: unknown, sub: string): string[] {
  if (typeof exports === 'string') return sub === '.' ? [exports] : []
  if (!isRecord(exports)) return []
  const keys = Object.keys(exports)
  if (!keys.some((key) => key.startsWith('.'))) return sub === '.' ? stringsIn(exports) : []
  if (exports[sub] !== undefined) return stringsIn(exports[sub])
  for (const key of keys) {
    const [before = '', after = ''] = key.split('*')
    if (!key.includes('*') || !sub.startsWith(before) || !sub.endsWith(after)) continue
    const middle = sub.slice(before.length, sub.length - after.length)
    return stringsIn(exports[key]).map((target) => target.replaceAll('*', middle))
  }
  return []
}
