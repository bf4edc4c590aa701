// How code is written here, as rules over files and syntax trees. CONTRIBUTING.md says why.
import { basename } from 'node:path/posix'
import { childOf, parseCode, type SyntaxNode, walk } from './parse-code.ts'
import { isCode, isTest, type Repository, type SourceFile } from './repository.ts'

const maxFileLines = 500
const maxFunctionLines = 70
const maxMapLines = 250

const drawerNames = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'shared',
  'types',
  'misc',
  'manager',
  'lib',
])
const drawerSuffix = /-(utils?|helpers?|misc|manager|common)$/
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/
const pascalCase = /^[A-Z][A-Za-z0-9]*(\.[a-z]+)*$/
const hookName = /^use[A-Z][A-Za-z0-9]*(\.test)?$/

/** Tools that load a module and want its default export. */
const defaultExportAllowed = /(^|\/)[\w-]+\.config\.ts$|^tools\/(count-reporter|coverage)\.ts$/

/** Words that must not be in the repository; put together here, so that this file does not hold them. */
const bannedText: readonly (readonly [RegExp, string])[] = [
  [/^(<{7}|>{7}) /, 'a conflict that was not solved'],
  [new RegExp(['registry', 'npmjs', 'org'].join('\\.')), 'the host of a package registry'],
  [new RegExp(`(^|[\\s"'\`(=])/${'work'}/`), 'a path of one machine'],
  [new RegExp(`(^|[\\s"'\`(=])/${'root'}/`), 'a path of one machine'],
]

/** Where a note begins; "the TODO list" in a sentence is none. */
const debtMark = /^[\s*]*(TODO|FIXME|XXX)\b(?!\(#\d+\))|\b(TODO|FIXME|XXX)(:|\((?!#\d+\)))/m

type Rule = (file: SourceFile) => string[]

function overCode(repository: Repository, rule: Rule): string[] {
  return repository.files.filter((file) => isCode(file.path)).flatMap(rule)
}

/** Applies `judge` to every node; what it returns is reported with file and line. */
function overNodes(
  repository: Repository,
  judge: (node: SyntaxNode, file: SourceFile, parent: SyntaxNode | undefined) => string | undefined,
): string[] {
  return overCode(repository, (file) => {
    const { program, lineOf } = parseCode(file)
    const problems: string[] = []
    walk(program, (node, parent) => {
      const problem = judge(node, file, parent)
      if (problem) problems.push(`${file.path}:${lineOf(node.start)}: ${problem}`)
    })
    return problems
  })
}

/** A file is read in one go; the map in one sitting. */
export function checkFileSizes(repository: Repository): string[] {
  const countLines = (text: string) => text.trimEnd().split('\n').length
  const code = overCode(repository, (file) => {
    const lines = countLines(file.text)
    return lines > maxFileLines ? [`${file.path}: ${lines} lines, ${maxFileLines} at most`] : []
  })
  const map = repository.files.find((file) => file.path === 'ARCHITECTURE.md')
  const lines = map ? countLines(map.text) : 0
  return lines > maxMapLines ? [...code, `ARCHITECTURE.md: ${lines} lines, ${maxMapLines} at most`] : code
}

/** A function fits a screen. One that only holds tests, a `describe` block or a suite, is a heading. */
export function checkFunctionSizes(repository: Repository): string[] {
  return overCode(repository, (file) => {
    const { program, lineOf } = parseCode(file)
    const problems: string[] = []
    walk(program, (node) => {
      if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return
      if (isTest(file.path) && isHeading(node)) return
      const lines = lineOf(node.end) - lineOf(node.start) + 1
      if (lines > maxFunctionLines) {
        problems.push(
          `${file.path}:${lineOf(node.start)}: a function of ${lines} lines, ${maxFunctionLines} at most`,
        )
      }
    })
    return problems
  })
}

/** Whether a function's own statements declare tests. */
function isHeading(node: SyntaxNode): boolean {
  const body = childOf(node, 'body')
  const statements: readonly SyntaxNode[] = Array.isArray(body?.body) ? body.body : []
  return statements.some((statement) => {
    const call = childOf(statement, 'expression')
    return (
      call?.type === 'CallExpression' &&
      /^(test|it|describe)$/.test(String(rootName(childOf(call, 'callee'))))
    )
  })
}

function rootName(node: SyntaxNode | undefined): unknown {
  if (!node) return undefined
  return node.name ?? rootName(childOf(node, 'object') ?? childOf(node, 'callee') ?? childOf(node, 'tag'))
}

/** A name says what is inside; a drawer collects what has no place. */
export function checkNames(repository: Repository): string[] {
  return overCode(repository, ({ path }) => {
    const stems = path.split('/').map((part) => part.replace(/\..*$/, ''))
    const drawer = stems.find((stem) => drawerNames.has(stem.toLowerCase()) || drawerSuffix.test(stem))
    if (drawer) return [`${path}: "${drawer}" is a drawer, name what is inside`]
    const name = basename(path).replace(/\.(tsx?|m?js)$/, '')
    const isHook = path.startsWith('console/') && hookName.test(name)
    const isWellFormed = isHook || kebabCase.test(name) || (path.endsWith('.tsx') && pascalCase.test(name))
    return isWellFormed ? [] : [`${path}: files are kebab-case, React components PascalCase, hooks useThis`]
  })
}

/** Every name has one home: no barrels, and no default exports that each importer names anew. */
export function checkExports(repository: Repository): string[] {
  return overNodes(repository, (node, file) => {
    if (node.type === 'ExportAllDeclaration' && !childOf(node, 'exported'))
      return '`export *` hides what is exported'
    if (node.type === 'ExportDefaultDeclaration' && !defaultExportAllowed.test(file.path))
      return 'a default export'
    return undefined
  })
}

/** Types are not switched off. A cast at a border says in a comment why it is true. */
export function checkTypes(repository: Repository): string[] {
  return overNodes(repository, (node, file) => {
    if (node.type === 'TSAnyKeyword') return '`any`'
    if (node.type === 'TSNonNullExpression') return '`!` asserts what a check should prove'
    if (node.type === 'TSEnumDeclaration' || node.type === 'TSModuleDeclaration') {
      return node.declare === true || node.kind === 'global' ? undefined : 'syntax that does not erase'
    }
    if (node.type !== 'TSAsExpression' || isTest(file.path) || isConst(node)) return undefined
    return hasCommentAt(file, node) ? undefined : '`as` without a comment that says why it is true'
  })
}

function isConst(node: SyntaxNode): boolean {
  const annotation = childOf(node, 'typeAnnotation')
  const name = annotation && childOf(annotation, 'typeName')
  return name?.name === 'const'
}

/** A comment on the line of a node or on the one above it. */
function hasCommentAt(file: SourceFile, node: SyntaxNode): boolean {
  const { comments, lineOf } = parseCode(file)
  const first = lineOf(node.start)
  const last = lineOf(node.end)
  return comments.some((comment) => lineOf(comment.end) >= first - 1 && lineOf(comment.start) <= last)
}

/** A debt has an owner: `TODO(#12)`, or it is paid at once. */
export function checkDebts(repository: Repository): string[] {
  return overCode(repository, (file) => {
    const { comments, lineOf } = parseCode(file)
    return comments
      .filter((comment) => debtMark.test(comment.value))
      .map((comment) => `${file.path}:${lineOf(comment.start)}: a TODO without an issue`)
  })
}

/** A test that cannot run here is gated with skipIf, which is counted and shown; it is never just switched off. */
export function checkTestGates(repository: Repository): string[] {
  const gates = new Set(['only', 'skip', 'todo', 'fails'])
  return overNodes(repository, (node, file) => {
    const property = childOf(node, 'property')
    if (node.type !== 'MemberExpression' || typeof property?.name !== 'string' || !gates.has(property.name))
      return undefined
    const isVitest = ['test', 'it', 'describe', 'suite'].includes(String(rootName(childOf(node, 'object'))))
    return isVitest && isTest(file.path) ? `.${property.name} switches a test off or others off` : undefined
  })
}

/** A test's name is a fact: "a second start is refused", not "should refuse". */
export function checkTestNames(repository: Repository): string[] {
  return overNodes(repository, (node, file) => {
    const callee = childOf(node, 'callee')
    if (node.type !== 'CallExpression' || !isTest(file.path) || !/^(test|it)$/.test(String(rootName(callee))))
      return undefined
    const first = Array.isArray(node.arguments) ? node.arguments[0] : undefined
    return typeof first?.value === 'string' && /\bshould\b/i.test(first.value)
      ? 'a name with "should"'
      : undefined
  })
}

/** Nothing in the repository names the machine it was written on. */
export function checkText(repository: Repository): string[] {
  return repository.files.flatMap((file) =>
    file.text
      .split('\n')
      .flatMap((line, index) =>
        bannedText
          .filter(([pattern]) => pattern.test(line))
          .map(([, what]) => `${file.path}:${index + 1}: ${what}`),
      ),
  )
}
