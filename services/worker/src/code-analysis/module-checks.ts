import { isBuiltin } from 'node:module'
import { basename, dirname, extname, join } from 'node:path/posix'
import type { Analyzer, AnalyzerContext } from './area-analyzer.ts'
import type { SnapshotFile } from './manifest.ts'
import { moduleFacts } from './module-facts.ts'
import { ModuleGraph, type ModuleNode } from './module-graph.ts'
import { type PackageManifest, packageNameOf } from './package-manifests.ts'

/** Unused exports and dependencies, unlisted dependencies and imports of missing files, across the repository. */
export function moduleChecks(context: AnalyzerContext): Analyzer {
  const graph = new ModuleGraph(context.manifest)
  const subjects = new Map<string, PackageSubject>()
  return {
    name: 'kyros-modules',
    version: '1',
    file(file) {
      graph.add(file)
      if (/(^|\/)package\.json$/.test(file.file.path)) {
        subjects.set(file.file.path, { subject: file, text: file.text })
      }
      return file.isScript
    },
    finish() {
      const uses = collectUses(graph)
      for (const node of graph.nodes) {
        reportUnusedExports(node, uses)
        reportMissingFiles(graph, node)
      }
      reportUnlisted(graph)
      for (const owner of graph.packages) {
        const found = subjects.get(owner.file.path)
        if (found?.subject.isProduct) reportUnusedDependencies(graph, owner, found)
      }
    },
    metrics: () => ({ modules: graph.nodes.length }),
    modules: () => moduleFacts(graph),
  }
}

/** The text is needed at the end, when files have given up theirs. */
type PackageSubject = { readonly subject: ModuleNode['subject']; readonly text: string }

type Uses = Map<SnapshotFile, Set<string> | 'all'>

function collectUses(graph: ModuleGraph): Uses {
  const uses: Uses = new Map()
  const use = (file: SnapshotFile, names: readonly string[] | 'all') => {
    const known = uses.get(file) ?? new Set<string>()
    if (known === 'all' || names === 'all') uses.set(file, 'all')
    else uses.set(file, new Set([...known, ...names]))
  }
  for (const { subject, imports, mentions } of graph.nodes) {
    for (const { specifier, names } of imports) {
      for (const file of graph.resolve(subject.file, specifier)) use(file, names)
    }
    for (const mention of mentions) {
      const file = graph.paths.resolveFrom(subject.file, mention)
      if (file !== undefined && !imports.some(({ specifier }) => specifier === mention)) use(file, 'all')
    }
  }
  for (const owner of graph.packages) {
    for (const path of owner.entryPaths) markEntries(graph, owner, path, use)
  }
  for (const file of graph.entryFiles) use(file, 'all')
  return uses
}

/** What a published package exports is used by people we cannot see; of a private one, only what is named exactly. */
function markEntries(
  graph: ModuleGraph,
  owner: PackageManifest,
  path: string,
  use: (file: SnapshotFile, names: 'all') => void,
): void {
  if (!path.includes('*')) {
    const file = graph.paths.resolve(join(owner.folder, path))
    if (file !== undefined) use(file, 'all')
    return
  }
  if (owner.isPrivate) return
  const [before = '', after = ''] = join(owner.folder, path).split('*')
  for (const { subject } of graph.nodes) {
    if (subject.file.path.startsWith(before) && subject.file.path.endsWith(after)) use(subject.file, 'all')
  }
}

/** Folders and names whose exports a framework or a person picks up by convention. */
const conventional =
  /(^|\/)(pages|app|routes|migrations?|commands|scripts?|bin|examples?|samples?|docs?|benchmarks?|bench|api|stories|plugins|functions|config)\/|\.d\.[cm]?ts$|\.(config|stories|story)\.|(^|\/)(middleware|instrumentation|setup)[^/]*$/

function reportUnusedExports(node: ModuleNode, uses: Uses): void {
  const { file } = node.subject
  const used = uses.get(file)
  // A file that nobody imports may be started in a way that cannot be seen from here.
  if (used === undefined || used === 'all' || file.role !== 'own' || conventional.test(file.path)) return
  for (const { name, start, isType } of node.exports) {
    if (used.has(name)) continue
    const message = `Nothing in this repository imports ${name === 'default' ? 'the default export' : `"${name}"`}.`
    node.subject.report('static/unused-export', { start }, message, { severity: isType ? 'info' : 'low' })
  }
}

const unreadFolder =
  /(^|\/)(dist|build|out|generated|__generated__|gen|coverage|\.next|lib-cov|\.svelte-kit|types)(\/|$)/
const codeEnding = /^(|\.[cm]?[jt]sx?|\.json)$/

function reportMissingFiles(graph: ModuleGraph, node: ModuleNode): void {
  const { subject } = node
  if (!subject.isProduct) return
  for (const { specifier, start, names } of node.imports) {
    if (!specifier.startsWith('./') && !specifier.startsWith('../')) continue
    const target = join(dirname(subject.file.path), specifier)
    const isCode = codeEnding.test(extname(target)) || extname(target).length > 5
    if (!isCode || names === 'all' || unreadFolder.test(target) || /[?*!]/.test(specifier)) continue
    if (graph.resolve(subject.file, specifier).length > 0 || graph.paths.hasFolder(target)) continue
    // With only a part of the repository at hand, the target may lie in the rest.
    if (!graph.paths.hasFolder(dirname(target))) continue
    subject.report(
      'static/missing-file',
      { start },
      `There is no file ${JSON.stringify(specifier)} from here.`,
    )
  }
}

function reportUnusedDependencies(
  graph: ModuleGraph,
  owner: PackageManifest,
  { subject, text }: PackageSubject,
): void {
  const mentioned = graph.mentionedPackages.get(owner.folder) ?? new Set()
  const hasCode = graph.nodes.some(
    ({ subject: { file } }) => owner.folder === '.' || file.path.startsWith(`${owner.folder}/`),
  )
  if (!hasCode) return
  for (const name of owner.dependencies) {
    const shortName = basename(name)
    if (
      mentioned.has(name) ||
      name.startsWith('@types/') ||
      new RegExp(`\\b${escapePattern(shortName)}\\b`).test(owner.scripts)
    )
      continue
    const start = Math.max(0, text.indexOf(`"${name}"`, text.indexOf('"dependencies"')))
    subject.report(
      'static/unused-dependency',
      { start },
      `No file under ${owner.folder === '.' ? 'the repository' : owner.folder} mentions "${name}".`,
    )
  }
}

function escapePattern(text: string): string {
  return text.replace(/[^\w]/g, '\\$&')
}

function reportUnlisted(graph: ModuleGraph): void {
  const said = new Set<string>()
  const workspaceNames = new Set(graph.packages.map(({ name }) => name))
  for (const { subject, imports } of graph.nodes) {
    if (!subject.isProduct) continue
    const owners = graph.packagesAbove(subject.file)
    if (owners.length === 0) continue
    for (const { specifier, start } of imports) {
      const name = packageNameOf(specifier)
      const isPackage = /^(@[a-z0-9~][\w.~-]*\/)?[a-z0-9][\w.-]*$/.test(name) && !specifier.includes(':')
      if (!isPackage || isBuiltin(specifier) || isBuiltin(name)) continue
      if (workspaceNames.has(name) && owners.some((owner) => owner.name === name)) continue
      if (
        isListed(owners, name) ||
        isAlias(graph, specifier) ||
        graph.resolve(subject.file, specifier).length > 0
      )
        continue
      const key = `${owners[0]?.folder} ${name}`
      if (said.has(key)) continue
      said.add(key)
      subject.report(
        'static/unlisted-dependency',
        { start },
        `"${name}" is in no package.json above this file.`,
      )
    }
  }
}

function isListed(owners: readonly PackageManifest[], name: string): boolean {
  const types = `@types/${name.replace(/^@/, '').replace('/', '__')}`
  return owners.some(({ listed }) => listed.has(name) || listed.has(types))
}

function isAlias(graph: ModuleGraph, specifier: string): boolean {
  const first = specifier.split('/')[0] ?? ''
  if (graph.paths.hasFolder(first) || graph.paths.hasFolder(`src/${first}`)) return true
  return [...graph.aliasPrefixes].some(
    (prefix) => prefix !== '' && (specifier === prefix || specifier.startsWith(`${prefix}/`)),
  )
}
