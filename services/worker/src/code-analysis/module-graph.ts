import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path/posix'
import type { FileUnderAnalysis } from './file-under-analysis.ts'
import type { Manifest, SnapshotFile } from './manifest.ts'
import {
  type PackageManifest,
  packageNameOf,
  parsePackageManifest,
  resolveInPackage,
} from './package-manifests.ts'
import { RepositoryPaths } from './repository-paths.ts'
import { detached } from './source-text.ts'

export type ExportedName = { readonly name: string; readonly start: number; readonly isType: boolean }
export type ImportedModule = {
  readonly specifier: string
  readonly start: number
  readonly names: readonly string[] | 'all'
}
export type ModuleNode = {
  readonly subject: FileUnderAnalysis
  readonly exports: readonly ExportedName[]
  readonly imports: readonly ImportedModule[]
  /** Relative paths in string literals: workers, mocks, dynamic imports. */
  readonly mentions: readonly string[]
}

/** Who imports what from whom, within one repository. */
export class ModuleGraph {
  readonly paths: RepositoryPaths
  readonly nodes: ModuleNode[] = []
  readonly packages: PackageManifest[] = []
  /** Package-like strings in quotes, per folder that has a package.json. */
  readonly mentionedPackages = new Map<string, Set<string>>()
  /** Files named in package.json, HTML, YAML and the like. */
  readonly entryFiles = new Set<SnapshotFile>()
  readonly aliasPrefixes = new Set<string>()
  readonly #packageFolders: readonly string[]

  constructor(manifest: Manifest) {
    this.paths = new RepositoryPaths(manifest)
    this.#packageFolders = manifest.files
      .filter(({ path }) => path === 'package.json' || path.endsWith('/package.json'))
      .map(({ path }) => dirname(path))
  }

  add(subject: FileUnderAnalysis): void {
    const { file, text } = subject
    if (file.role === 'vendored' || file.role === 'lock') return
    if (subject.isScript) this.nodes.push(readModule(subject))
    else this.#addMentionedFiles(subject)
    if (file.path === 'package.json' || file.path.endsWith('/package.json')) {
      const found = parsePackageManifest(file, text)
      if (found !== undefined) this.packages.push(found)
    } else if (file.language !== 'Markdown') this.#addMentionedPackages(subject)
    if (/(^|\/)[tj]sconfig[^/]*\.json$/.test(file.path)) {
      for (const match of text.matchAll(/"([^"*]+?)\/?\*?"\s*:\s*\[\s*"/g))
        this.aliasPrefixes.add(detached(match[1] ?? ''))
    }
  }

  /** The files an import may mean. Packages from outside the repository give none. */
  resolve(from: SnapshotFile, specifier: string): SnapshotFile[] {
    if (specifier.startsWith('.')) {
      const found = this.paths.resolveFrom(from, specifier)
      return found === undefined ? [] : [found]
    }
    const owner = this.packages.find(({ name }) => name !== undefined && name === packageNameOf(specifier))
    if (owner !== undefined) return resolveInPackage(owner, specifier, this.paths)
    if (isBuiltin(specifier)) return []
    const alias = /^(?:@|~|#|src)\/?(.+)$/.exec(specifier)?.[1]
    const tails = alias === undefined ? [specifier] : [alias, specifier]
    const bases = [
      '.',
      'src',
      ...this.#ownersOf(from).flatMap((folder) => [folder, join(folder, 'src'), join(folder, 'app')]),
    ]
    const found = tails.flatMap((tail) => bases.map((base) => this.paths.resolve(join(base, tail))))
    return [...new Set(found.filter((file) => file !== undefined))]
  }

  /** Folders with a package.json above a file, nearest first. */
  #ownersOf(file: SnapshotFile): string[] {
    return this.#packageFolders
      .filter((folder) => folder === '.' || file.path.startsWith(`${folder}/`))
      .sort((left, right) => right.length - left.length)
  }

  packagesAbove(file: SnapshotFile): PackageManifest[] {
    const folders = this.#ownersOf(file)
    return this.packages.filter(({ folder }) => folders.includes(folder))
  }

  #addMentionedPackages(subject: FileUnderAnalysis): void {
    const owners = this.#ownersOf(subject.file)
    if (owners.length === 0) return
    const found = new Set<string>()
    for (const match of subject.text.matchAll(
      /['"`]~?((?:@[\w.-]+\/)?[A-Za-z][\w.-]*)(?:\/[^'"`\n]*)?['"`]/g,
    )) {
      found.add(detached(match[1] ?? ''))
    }
    for (const owner of owners) {
      const known = this.mentionedPackages.get(owner) ?? new Set()
      for (const name of found) known.add(name)
      this.mentionedPackages.set(owner, known)
    }
  }

  #addMentionedFiles(subject: FileUnderAnalysis): void {
    for (const match of subject.text.matchAll(/(?<![\w@./-])[\w@.-][\w@./-]{0,300}\.[cm]?[jt]sx?\b/g)) {
      const file = this.paths.resolveFrom(subject.file, match[0]) ?? this.paths.resolve(match[0])
      if (file !== undefined) this.entryFiles.add(file)
    }
  }
}

function readModule(subject: FileUnderAnalysis): ModuleNode {
  const { module, comments } = subject.parsed
  const isComment = (at: number) => comments.some(({ start, end }) => at >= start && at < end)
  const imports: ImportedModule[] = []
  for (const found of module.staticImports) {
    const names = found.entries.map((entry) =>
      entry.importName.kind === 'Default' ? 'default' : (entry.importName.name ?? '*'),
    )
    const { value, start } = found.moduleRequest
    imports.push({ specifier: value, start, names: names.includes('*') ? 'all' : names })
  }
  const exports: ExportedName[] = []
  for (const entry of module.staticExports.flatMap((found) => found.entries)) {
    if (entry.moduleRequest !== null) {
      const name = entry.importName.kind === 'Name' ? entry.importName.name : null
      imports.push({
        specifier: entry.moduleRequest.value,
        start: entry.moduleRequest.start,
        names: name === null ? 'all' : [name],
      })
      continue
    }
    const isDefault = entry.exportName.kind === 'Default'
    const name = isDefault ? 'default' : entry.exportName.name
    const start = entry.exportName.start ?? entry.localName.start ?? entry.start
    if (name !== null)
      exports.push({ name, start, isType: entry.isType || isTypeAt(subject.text, entry.start) })
  }
  const required = [
    ...subject.text.matchAll(
      /\brequire(?:\.resolve)?\(\s*['"]([^'"\n]+)['"]\s*\)|\bimport\(\s*['"]([^'"\n]+)['"]/g,
    ),
  ]
  for (const match of required) {
    if (isComment(match.index)) continue
    imports.push({ specifier: detached(match[1] ?? match[2] ?? ''), start: match.index, names: 'all' })
  }
  const importedStarts = new Set(imports.map(({ start }) => start))
  const mentions = [...subject.text.matchAll(/['"`](\.{1,2}\/[^'"`\n$]+)['"`]/g)]
    .filter((match) => !importedStarts.has(match.index))
    .map((match) => detached(match[1] ?? ''))
  return { subject, exports, imports, mentions }
}

function isTypeAt(text: string, start: number): boolean {
  return /^(?:export\s+)?(?:declare\s+)?(?:type|interface)\b/.test(text.slice(start, start + 60))
}
