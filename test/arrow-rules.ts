// The layer table of ARCHITECTURE.md as rules: who may import whom.
import { dirname, join, normalize } from 'node:path/posix'
import { childOf, type Import, parseCode, type SyntaxNode, walk } from './parse-code.ts'
import { isCode, isTest, type Repository, type SourceFile, textOf, type Workspace } from './repository.ts'

export interface Layer {
  readonly level: number
  readonly folder: string
  readonly mayImport: readonly string[] | 'everything'
}

/** Code in these runs in browsers and in Temporal's sandbox too, so nothing of Node may enter. */
const pureFolders = ['packages/contract', 'packages/workflows']
const nodeGlobals = new Set(['process', 'Buffer', 'require', '__dirname', '__filename', 'setImmediate'])
const bundleEntry = /^packages\/workflows\/src\/.*\/workflow\.ts$|^packages\/contract\/src\/run-state\.ts$/

/** Reads the layer table: `| level | workspace | owns | may import |`. */
export function parseLayers(repository: Repository): Layer[] {
  const rows = textOf(repository, 'ARCHITECTURE.md')
    .split('\n')
    .map((line) => /^\|\s*(\d)\s*\|\s*([\w/]+)\s*\|.*\|\s*([^|]+?)\s*\|$/.exec(line))
    .flatMap((match) =>
      match?.[1] && match[2] && match[3] ? [{ level: match[1], folder: match[2], may: match[3] }] : [],
    )
  const folderOf = (name: string) =>
    rows.find((row) => row.folder === name || row.folder.endsWith(`/${name}`))?.folder
  return rows.map(({ level, folder, may }) => ({
    level: Number(level),
    folder,
    mayImport: may.startsWith('everything')
      ? 'everything'
      : may
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '–')
          .map((name) => folderOf(name) ?? `unknown workspace ${name}`),
  }))
}

function workspaceOf(repository: Repository, path: string): Workspace | undefined {
  return repository.workspaces.find((workspace) => path.startsWith(`${workspace.folder}/`))
}

function mayImport(layers: readonly Layer[], from: string, to: string): boolean {
  const layer = layers.find((candidate) => candidate.folder === from)
  return layer !== undefined && (layer.mayImport === 'everything' || layer.mayImport.includes(to))
}

/** The table must be sound in itself: each arrow points down, and no service is above another. */
export function checkTable(repository: Repository): string[] {
  const layers = parseLayers(repository)
  const levelOf = (folder: string) => layers.find((layer) => layer.folder === folder)?.level
  const arrows = layers.flatMap((layer) => {
    if (layer.mayImport === 'everything') return []
    return layer.mayImport
      .filter((target) => (levelOf(target) ?? Number.POSITIVE_INFINITY) >= layer.level)
      .map((target) => `ARCHITECTURE.md: the arrow ${layer.folder} → ${target} does not point down`)
  })
  const missing = repository.workspaces
    .filter((workspace) => levelOf(workspace.folder) === undefined)
    .map((workspace) => `ARCHITECTURE.md: ${workspace.folder} is not in the layer table`)
  return [...arrows, ...missing]
}

/** The arrows that package.json files draw must be in the table. */
export function checkManifests(repository: Repository): string[] {
  const layers = parseLayers(repository)
  return repository.workspaces.flatMap(({ folder, manifest }) => {
    const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
    return repository.workspaces
      .filter((target) => names.includes(target.manifest.name) && !mayImport(layers, folder, target.folder))
      .map((target) => `${folder}/package.json: ${folder} may not depend on ${target.folder}`)
  })
}

function checkImport(
  repository: Repository,
  layers: readonly Layer[],
  file: SourceFile,
  found: Import,
): string[] {
  const own = workspaceOf(repository, file.path)
  const where = `${file.path}:${found.line}`
  if (found.specifier.startsWith('.')) {
    const target = normalize(join(dirname(file.path), found.specifier))
    const home = own?.folder ?? (file.path.includes('/') ? file.path.split('/')[0] : '')
    const isOutside = home !== '' && !target.startsWith(`${home}/`)
    const servesTests = isTest(file.path) || !own
    if (isOutside && !(servesTests && !workspaceOf(repository, target))) {
      return [`${where}: ${found.specifier} climbs out of ${home}`]
    }
    return []
  }
  const target = repository.workspaces.find(
    ({ manifest }) => found.specifier === manifest.name || found.specifier.startsWith(`${manifest.name}/`),
  )
  if (!own || !target || target === own) return []
  if (!mayImport(layers, own.folder, target.folder)) {
    return [`${where}: ${own.folder} may not import ${target.folder} (${found.kind})`]
  }
  const declared = { ...own.manifest.dependencies, ...own.manifest.devDependencies }
  return target.manifest.name in declared
    ? []
    : [`${where}: ${target.manifest.name} is not in the dependencies of ${own.folder}`]
}

/** Static, dynamic and type imports between workspaces follow the table, and none climbs out of its workspace. */
export function checkImports(repository: Repository): string[] {
  const layers = parseLayers(repository)
  return repository.files
    .filter((file) => isCode(file.path))
    .flatMap((file) =>
      parseCode(file).imports.flatMap((found) => checkImport(repository, layers, file, found)),
    )
}

/** Whether a name stands for a variable here, and not for a property, a key or a type's member. */
function isReference(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (!parent) return true
  const isProperty =
    parent.type === 'MemberExpression' && childOf(parent, 'property') === node && !parent.computed
  const isKey = childOf(parent, 'key') === node && !parent.computed && parent.shorthand !== true
  return !isProperty && !isKey
}

/** Nothing of Node enters contract and workflows. */
export function checkPurity(repository: Repository): string[] {
  const isPure = (path: string) =>
    pureFolders.some((folder) => path.startsWith(`${folder}/src/`)) && !isTest(path)
  return repository.files
    .filter((file) => isCode(file.path) && isPure(file.path))
    .flatMap((file) => {
      const { program, imports, lineOf } = parseCode(file)
      const problems = imports
        .filter((found) => found.specifier.startsWith('node:'))
        .map((found) => `${file.path}:${found.line}: ${found.specifier} may not enter a pure package`)
      walk(program, (node, parent) => {
        if (node.type !== 'Identifier' || typeof node.name !== 'string' || !nodeGlobals.has(node.name)) return
        if (isReference(node, parent))
          problems.push(`${file.path}:${lineOf(node.start)}: ${node.name} is Node's`)
      })
      return problems
    })
}

function resolveImport(repository: Repository, file: SourceFile, specifier: string): SourceFile | string {
  const inWorkspace = repository.workspaces.find(({ manifest }) => specifier.startsWith(`${manifest.name}/`))
  const path = specifier.startsWith('.')
    ? normalize(join(dirname(file.path), specifier))
    : inWorkspace && `${inWorkspace.folder}/src/${specifier.slice(inWorkspace.manifest.name.length + 1)}.ts`
  return repository.files.find((candidate) => candidate.path === path) ?? specifier
}

/** Bundles of definitions hold no library: schemas come in as types only, directly and through what is imported. */
export function checkBundles(repository: Repository): string[] {
  const entries = repository.files.filter((file) => bundleEntry.test(file.path))
  return entries.flatMap((entry) => {
    const chains: [SourceFile, string][] = [[entry, entry.path]]
    const seen = new Set([entry])
    const problems: string[] = []
    for (const [file, chain] of chains) {
      for (const found of parseCode(file).imports.filter(({ kind }) => kind !== 'type')) {
        const target = resolveImport(repository, file, found.specifier)
        if (typeof target === 'string')
          problems.push(`${chain} → ${target}: a library may not enter a definition's bundle`)
        else if (!seen.has(target)) chains.push([target, `${chain} → ${target.path}`])
        if (typeof target !== 'string') seen.add(target)
      }
    }
    return problems
  })
}

/** Only `cli` reads the environment: everything else gets its configuration as an argument. */
export function checkEnvironment(repository: Repository): string[] {
  const isBound = (path: string) => /^(packages|services|console)\//.test(path) && !isTest(path)
  return repository.files
    .filter((file) => isCode(file.path) && isBound(file.path))
    .flatMap((file) => {
      const { program, lineOf } = parseCode(file)
      const problems: string[] = []
      walk(program, (node) => {
        const object = childOf(node, 'object')
        const property = childOf(node, 'property')
        if (node.type !== 'MemberExpression' || object?.name !== 'process') return
        if (property?.name === 'env' || property?.value === 'env') {
          problems.push(`${file.path}:${lineOf(node.start)}: only cli reads process.env`)
        }
      })
      return problems
    })
}
