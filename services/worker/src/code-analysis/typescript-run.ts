import { link, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AreaResult, ModuleFacts, RawFinding } from './finding.ts'
import { type GuardedResult, runGuarded } from './guarded-command.ts'
import type { SnapshotFile } from './manifest.ts'
import { staticRules } from './static-rules.ts'
import { isWrittenHere, type ToolContext, toolSkipped } from './tool-context.ts'
import { analyzerVersions, besidePackage, packageDirectory } from './tool-versions.ts'
import { compilerOptionsOf } from './typescript-options.ts'

const maxProjects = 12
const maxOutputBytes = 32_000_000
const safePath = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w@.+()[\]$ -]+(?:\/[\w@.+()[\]$ -]+)*$/

/**
 * Checks the types of files whose imports all lie in the repository or in Node. Others would need the repository's
 * dependencies, which are not installed here, and every error in them could be a false one.
 */
export async function runTypeScript(context: ToolContext, facts: ModuleFacts): Promise<AreaResult> {
  const complete = new Set(facts.complete)
  const scripts = context.manifest.files.filter(
    (file) => isWrittenHere(file) && /\.[cm]?tsx?$/.test(file.path),
  )
  const projects = projectsOf(context)
  if (scripts.length === 0 || projects.length === 0) {
    return scripts.length === 0
      ? toolNothing()
      : toolSkipped('type check', 'there is no tsconfig.json', scripts.length)
  }
  const program = compilerPath()
  if (program === undefined)
    return toolSkipped('type check', 'TypeScript is not installed for this platform', scripts.length)
  const checkable = scripts.filter((file) => complete.has(file.index) && safePath.test(file.path))
  const left = scripts.length - checkable.length
  const skipped =
    left === 0
      ? []
      : [
          {
            what: 'type check of files',
            why: 'they need dependencies, which are not installed for an analysis',
            count: left,
          },
        ]
  const tree = await linkTree(context, checkable)
  const findings: RawFinding[] = []
  let checked = 0
  for (const [index, project] of projects.slice(0, maxProjects).entries()) {
    const files = checkable.filter((file) => nearestProject(file.path, projects) === project)
    if (files.length === 0) continue
    const result = await checkProject(context, {
      program,
      tree,
      index,
      project,
      files,
      aliases: facts.aliases,
    })
    if (result.ended !== 'exited') {
      skipped.push({
        what: `type check of ${project}`,
        why: 'it took too long or failed',
        count: files.length,
      })
      continue
    }
    checked += files.length
    findings.push(...toFindings(result.stdout.toString('utf8'), files))
  }
  const ran =
    checked === 0 ? [] : [{ tool: 'typescript', version: analyzerVersions.typescript, files: checked }]
  return { findings, metrics: { type_errors: findings.length, type_checked_files: checked }, ran, skipped }
}

function toolNothing(): AreaResult {
  return { findings: [], metrics: {}, ran: [], skipped: [] }
}

function projectsOf(context: ToolContext): string[] {
  return context.manifest.files
    .filter((file) => file.stored !== undefined && file.role !== 'vendored' && file.role !== 'test')
    .map(({ path }) => path)
    .filter((path) => path === 'tsconfig.json' || path.endsWith('/tsconfig.json'))
}

function nearestProject(path: string, projects: readonly string[]): string | undefined {
  return projects
    .filter((project) => dirname(project) === '.' || path.startsWith(`${dirname(project)}/`))
    .sort((left, right) => right.length - left.length)[0]
}

/** The native compiler itself: its launcher script is not needed. */
function compilerPath(): string | undefined {
  const directory = besidePackage('typescript', `@typescript/typescript-${process.platform}-${process.arch}`)
  return directory === undefined
    ? undefined
    : join(directory, 'lib', process.platform === 'win32' ? 'tsc.exe' : 'tsc')
}

async function linkTree(context: ToolContext, checkable: readonly SnapshotFile[]): Promise<string> {
  const tree = join(context.scratch, 'types', 'tree')
  const packages = context.manifest.files.filter(
    (file) =>
      file.stored !== undefined &&
      /\.json$/.test(file.path) &&
      !/(^|\/)[tj]sconfig[^/]*$/.test(file.path) &&
      safePath.test(file.path),
  )
  await mkdir(tree, { recursive: true })
  for (const file of [...checkable, ...packages]) {
    const target = join(tree, file.path)
    await mkdir(dirname(target), { recursive: true })
    await link(join(context.checkoutDirectory, file.stored ?? ''), target)
  }
  return tree
}

async function checkProject(
  context: ToolContext,
  task: {
    program: string
    tree: string
    index: number
    project: string
    files: readonly SnapshotFile[]
    aliases: ModuleFacts['aliases']
  },
): Promise<GuardedResult> {
  const texts = new Map<string, string>()
  for (const file of context.manifest.files) {
    if (file.stored === undefined || !/[tj]sconfig[^/]*\.json$|tsconfig\//.test(file.path)) continue
    texts.set(file.path, await readFile(join(context.checkoutDirectory, file.stored), 'utf8'))
  }
  const nodeTypes = packageDirectory('@types/node')
  const configuration = join(context.scratch, 'types', `project-${task.index}.json`)
  const compilerOptions = {
    ...compilerOptionsOf(task.project, (path) => texts.get(path)),
    types: nodeTypes === undefined ? [] : ['node'],
    // Packages of the repository itself are found without being installed.
    paths: Object.fromEntries(
      Object.entries(task.aliases).map(([specifier, path]) => [specifier, [`./tree/${path}`]]),
    ),
    typeRoots: nodeTypes === undefined ? [] : [dirname(nodeTypes)],
  }
  const files = task.files.map((file) => `tree/${file.path}`)
  await writeFile(configuration, JSON.stringify({ compilerOptions, files, exclude: ['**/*'] }))
  return await runGuarded({
    command: task.program,
    args: ['-p', configuration, '--pretty', 'false', '--locale', 'en'],
    cwd: task.tree,
    env: { GOMEMLIMIT: `${context.limits.analyzerMemoryMb}MiB`, GOMAXPROCS: '2' },
    timeoutMs: context.limits.toolTimeoutMs,
    maxOutputBytes,
    signal: context.signal,
  })
}

/** Errors about names and modules that only an installation brings, and about our own settings. */
const unreliable = new Set([
  2304, 2307, 2503, 2552, 2580, 2581, 2582, 2583, 2584, 2585, 2591, 2592, 2593, 2688, 2694, 2792, 2867, 2868,
  2875, 5095, 5097, 5107, 6053, 7016, 7026, 1259, 1343, 1378, 1479, 2732, 2835, 2834, 1295, 1286, 1287, 1484,
  1485, 5110,
])

function toFindings(output: string, files: readonly SnapshotFile[]): RawFinding[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const rule = staticRules['static/type-error']
  const findings: RawFinding[] = []
  for (const match of output.matchAll(/^(.+?)\((\d+),(\d+)\): error TS(\d+): (.+)$/gm)) {
    const [, path = '', line = '1', column = '1', code = '', message = ''] = match
    const file = byPath.get(path.replaceAll('\\', '/'))
    if (file === undefined || unreliable.has(Number(code)) || file.role === 'test') continue
    findings.push({
      rule: 'static/type-error',
      severity: rule.severity,
      title: rule.title,
      message: `TS${code}: ${message.slice(0, 400)}`,
      hint: rule.hint,
      file: file.index,
      line: Number(line),
      column: Number(column),
    })
  }
  return findings
}
