// The repository as values: the checkers take it as an argument, so that their own tests can plant a violation in it.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One text file, its path relative to the root with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

export interface Manifest {
  readonly name: string
  readonly description?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Workspace {
  /** Its folder, as the layer table names it: `packages/store`, `cli`. */
  readonly folder: string
  readonly manifest: Manifest
}

export interface Repository {
  readonly files: readonly SourceFile[]
  readonly workspaces: readonly Workspace[]
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const ignoredFolders = new Set([
  'node_modules',
  'dist',
  'coverage',
  '.git',
  '.cache',
  '.kyros',
  'test-results',
])
const textFile = /\.(tsx?|m?js|json|md|ya?ml|html|s?css|sql|sh)$|^(run|\.npmrc|\.gitignore|LICENSE)$/
const maxTextBytes = 2_000_000

/** Whether a file holds code that people read and change: the rules for code apply to it. */
export function isCode(path: string): boolean {
  return /\.(tsx?|m?js)$/.test(path) && !path.includes('/fixtures/') && !path.startsWith('docs/')
}

/** Whether a file is a test or serves only tests. */
export function isTest(path: string): boolean {
  return /\.(test|suite|testsuite)\.tsx?$|\.e2e\.ts$|^(test|bench)\//.test(path)
}

function listFiles(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    if (ignoredFolders.has(name)) return []
    const path = folder === '' ? name : `${folder}/${name}`
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (stat?.isDirectory()) return listFiles(path)
    return stat?.isFile() && stat.size < maxTextBytes && textFile.test(name) ? [path] : []
  })
}

function parseManifest(file: SourceFile): Workspace {
  const manifest: Manifest = JSON.parse(file.text)
  return { folder: dirname(file.path), manifest }
}

/** Picks the workspaces out of a list of files; the stand-ins for packages of others are none of ours. */
export function toRepository(files: readonly SourceFile[]): Repository {
  const workspaces = files
    .filter((file) => basename(file.path) === 'package.json' && file.path !== 'package.json')
    .filter((file) => /^(packages\/[^/]+|services\/[^/]+|console|cli)\/package\.json$/.test(file.path))
    .map(parseManifest)
  return { files, workspaces }
}

/** Reads the working tree: what is there, tracked or not. */
export function readRepository(): Repository {
  return toRepository(
    listFiles('')
      .sort()
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  )
}

/** The same repository with one file added or replaced; tests plant violations with it. */
export function withFile(repository: Repository, path: string, text: string): Repository {
  return toRepository([...repository.files.filter((file) => file.path !== path), { path, text }])
}

/** The text of a file that must be there. */
export function textOf(repository: Repository, path: string): string {
  const file = repository.files.find((candidate) => candidate.path === path)
  if (!file) throw new Error(`${path} is missing`)
  return file.text
}
