import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'
import {
  childOf,
  childrenOf,
  dottedName,
  isFunction,
  isLoop,
  nameOf,
  type SyntaxNode,
  type Visit,
  walkTree,
} from './syntax-tree.ts'
import { analyzerVersions } from './tool-versions.ts'

/** Slow patterns in JavaScript and TypeScript, found in the syntax tree. */
export function scriptPerformance(): Analyzer {
  return {
    name: 'kyros-script-performance',
    version: `1 (oxc-parser ${analyzerVersions.oxcParser})`,
    file(file) {
      if (!file.isScript || !file.isProduct || file.file.path.endsWith('.d.ts')) return false
      const growth = new ModuleCollections(file)
      const visits: [string, Visit][] = [
        ['CallExpression', (node, ancestors) => checkCall(file, node, ancestors)],
        ['AwaitExpression', (node, ancestors) => checkAwait(file, node, ancestors)],
        ['NewExpression', (node, ancestors) => checkCompile(file, node, ancestors)],
        ['SpreadElement', (node, ancestors) => checkSpread(file, node, ancestors)],
        ['VariableDeclarator', (node, ancestors) => growth.declare(node, ancestors)],
      ]
      walkTree(file.parsed.program, {
        enter: new Map(visits.map(([type, visit]) => [type, [visit]])),
        every: (node, ancestors) => growth.use(node, ancestors),
      })
      growth.report()
      return true
    },
  }
}

function enclosingFunction(ancestors: readonly SyntaxNode[]): SyntaxNode | undefined {
  return ancestors.findLast((node) => isFunction(node))
}

const blockingCall =
  /^(?:fs|fse|fsExtra)\.\w+Sync$|^(?:child_process|cp|childProcess)\.(?:execSync|spawnSync|execFileSync)$|^(?:readFileSync|writeFileSync|appendFileSync|execSync|spawnSync|execFileSync|readdirSync|statSync|lstatSync|mkdirSync|rmSync|copyFileSync|unlinkSync|cpSync|realpathSync)$|^(?:crypto|zlib)\.(?:pbkdf2Sync|scryptSync|argon2Sync|gzipSync|gunzipSync|deflateSync|inflateSync|brotliCompressSync|brotliDecompressSync)$|^(?:pbkdf2Sync|scryptSync|bcrypt\.hashSync|bcrypt\.compareSync)$/
/** Programs that do one thing and end block nobody. */
const commandPath =
  /(^|\/)(scripts?|bin|tools?|cli|build|bench(marks?)?|migrations?|tasks?)\/|(^|\/)(cli|build|gulpfile|gruntfile)[^/]*$|\.config\./

function checkCall(file: FileUnderAnalysis, node: SyntaxNode, ancestors: readonly SyntaxNode[]): void {
  const name = dottedName(childOf(node, 'callee')) ?? ''
  const method = name.split('.').at(-1) ?? ''
  const place = { start: node.start, end: node.end }
  const [first] = childrenOf(node, 'arguments')
  if (
    blockingCall.test(name) &&
    enclosingFunction(ancestors)?.async === true &&
    !commandPath.test(file.file.path)
  ) {
    file.report('performance/sync-io-in-async', place, `${name} blocks while an async function runs.`)
  }
  if (
    method === 'forEach' &&
    first !== undefined &&
    isFunction(first) &&
    first.async === true &&
    containsAwait(first)
  ) {
    file.report('performance/async-in-foreach', place, 'The callback is async, and nothing waits for it.')
  }
  if (
    name === 'JSON.parse' &&
    first !== undefined &&
    dottedName(childOf(first, 'callee')) === 'JSON.stringify'
  ) {
    if (childrenOf(first, 'arguments').length === 1)
      file.report('performance/json-clone', place, 'JSON.parse(JSON.stringify(…))')
  }
  if (method === 'concat' && isGrowingAssignment(node, ancestors) && insideLoop(ancestors)) {
    file.report('performance/quadratic-copy', place, 'concat copies everything collected so far.')
  }
}

function isGrowingAssignment(node: SyntaxNode, ancestors: readonly SyntaxNode[]): boolean {
  const parent = ancestors.at(-1)
  const object = dottedName(childOf(childOf(node, 'callee'), 'object'))
  return (
    parent?.type === 'AssignmentExpression' &&
    object !== undefined &&
    dottedName(childOf(parent, 'left')) === object
  )
}

function insideLoop(ancestors: readonly SyntaxNode[]): boolean {
  return loopAround(ancestors) !== undefined
}

/** The innermost loop around a node, within the same function. */
function loopAround(ancestors: readonly SyntaxNode[]): SyntaxNode | undefined {
  for (let at = ancestors.length - 1; at >= 0; at--) {
    const node = ancestors[at]
    if (node === undefined || isFunction(node)) return undefined
    // What stands in the head of a for…of runs once.
    if (isLoop(node) && ancestors[at + 1] !== node.right) return node
  }
  return undefined
}

function containsAwait(node: SyntaxNode): boolean {
  let found = false
  const mark: Visit = () => {
    found = true
  }
  walkTree(node, { enter: new Map([['AwaitExpression', [mark]]]) })
  return found
}

const queryCall =
  /^(?:query|execute|exec|find|findOne|findMany|findById|findFirst|findUnique|findAll|findBy|findByPk|select|selectFrom|insert|insertOne|update|updateOne|upsert|delete|deleteOne|aggregate|countDocuments|fetch|request|axios|got|getOne|load|loadOne)$/
const queryObject =
  /(?:^|\.)(?:db|database|knex|prisma|client|conn|connection|pool|repo|repository|model|orm|em|manager|collection|table|axios|got|http|api|sequelize|session|tx|trx)\w*$|Repository$|Model$|Client$|Dao$|Api$/i

/** Only for loops over a collection, only calls that look like a query, and only with the element in the arguments. */
function checkAwait(file: FileUnderAnalysis, node: SyntaxNode, ancestors: readonly SyntaxNode[]): void {
  const loop = loopAround(ancestors)
  const call = childOf(node, 'argument')
  if (loop === undefined || loop.await === true || call?.type !== 'CallExpression') return
  const isOverCollection =
    loop.type === 'ForOfStatement' || loop.type === 'ForInStatement' || loop.type === 'ForStatement'
  const callee = childOf(call, 'callee')
  const name = dottedName(callee) ?? nameOf(childOf(callee, 'property')) ?? ''
  const [object = '', method = ''] = [name.split('.').slice(0, -1).join('.'), name.split('.').at(-1) ?? '']
  const isQuery =
    name === 'fetch' ||
    name === 'axios' ||
    (queryCall.test(method) &&
      (queryObject.test(object) || object.startsWith('()') || /prisma|db\./i.test(object)))
  if (!isOverCollection || !isQuery || isLeft(loop, node)) return
  const variables = loopVariables(loop)
  const text = file.text.slice(call.start, Math.min(call.end, call.start + 2_000))
  if (!variables.some((variable) => new RegExp(`\\b${variable.replace(/\$/g, '\\$')}\\b`).test(text))) return
  file.report(
    'performance/query-in-loop',
    { start: node.start, end: node.end },
    `${name} is awaited once for each element.`,
  )
}

/** A loop that is left after the first success tries alternatives one after the other on purpose. */
function isLeft(loop: SyntaxNode, node: SyntaxNode): boolean {
  let isLeaving = false
  const leave: Visit = (found) => {
    if (found.start > node.end) isLeaving = true
  }
  const body = childOf(loop, 'body')
  if (body !== undefined)
    walkTree(body, {
      enter: new Map([
        ['ReturnStatement', [leave]],
        ['BreakStatement', [leave]],
      ]),
    })
  return isLeaving
}

function loopVariables(loop: SyntaxNode): string[] {
  const head = childOf(loop, 'left') ?? childOf(loop, 'init')
  const names: string[] = []
  if (head === undefined) return names
  walkTree(head, { enter: new Map([['Identifier', [(node) => names.push(nameOf(node) ?? '')]]]) })
  return names.filter((name) => name !== '')
}

function checkCompile(file: FileUnderAnalysis, node: SyntaxNode, ancestors: readonly SyntaxNode[]): void {
  const [first] = childrenOf(node, 'arguments')
  if (dottedName(childOf(node, 'callee')) !== 'RegExp' || first?.type !== 'Literal' || !insideLoop(ancestors))
    return
  file.report(
    'performance/compile-in-loop',
    { start: node.start, end: node.end },
    'A constant pattern is compiled in every round.',
  )
}

/** `reduce((all, x) => [...all, x])` and `all = [...all, x]` in a loop. */
function checkSpread(file: FileUnderAnalysis, node: SyntaxNode, ancestors: readonly SyntaxNode[]): void {
  const name = nameOf(childOf(node, 'argument'))
  const holder = ancestors.at(-1)
  if (
    name === undefined ||
    holder === undefined ||
    (holder.type !== 'ArrayExpression' && holder.type !== 'ObjectExpression')
  )
    return
  // `[...all]` alone is a copy on purpose.
  if (childrenOf(holder, holder.type === 'ArrayExpression' ? 'elements' : 'properties').length < 2) return
  const place = { start: node.start, end: node.end }
  const owner = ancestors.findLast((ancestor) => isFunction(ancestor))
  const call = owner === undefined ? undefined : ancestors[ancestors.indexOf(owner) - 1]
  const isReducer =
    /\.reduce(Right)?$/.test(dottedName(childOf(call, 'callee')) ?? '') ||
    nameOf(childOf(childOf(call, 'callee'), 'property')) === 'reduce'
  if (isReducer && owner !== undefined && nameOf(childrenOf(owner, 'params')[0]) === name) {
    file.report('performance/quadratic-copy', place, `"${name}" is copied for every element.`)
  } else if (
    ancestors.at(-2)?.type === 'AssignmentExpression' &&
    nameOf(childOf(ancestors.at(-2), 'left')) === name &&
    insideLoop(ancestors)
  ) {
    file.report('performance/quadratic-copy', place, `"${name}" is copied in every round.`)
  }
}

const growing = new Set(['push', 'unshift', 'set', 'add'])
const shrinking = new Set(['delete', 'clear', 'splice', 'shift', 'pop', 'length'])

/** Module-level collections that functions add to and nothing takes from. */
class ModuleCollections {
  readonly #file: FileUnderAnalysis
  readonly #declared = new Map<string, SyntaxNode>()
  readonly #growsIn = new Map<string, string>()
  readonly #bounded = new Set<string>()

  constructor(file: FileUnderAnalysis) {
    this.#file = file
  }

  declare(node: SyntaxNode, ancestors: readonly SyntaxNode[]): void {
    const name = nameOf(childOf(node, 'id'))
    const value = childOf(node, 'init')
    if (name === undefined || value === undefined || enclosingFunction(ancestors) !== undefined) return
    const made = dottedName(childOf(value, 'callee'))
    const isEmptyArray = value.type === 'ArrayExpression' && childrenOf(value, 'elements').length === 0
    const isCollection =
      value.type === 'NewExpression' &&
      (made === 'Map' || made === 'Set') &&
      childrenOf(value, 'arguments').length === 0
    const isExported = ancestors.some((ancestor) => ancestor.type === 'ExportNamedDeclaration')
    if ((isEmptyArray || isCollection) && !isExported) this.#declared.set(name, node)
  }

  use(node: SyntaxNode, ancestors: readonly SyntaxNode[]): void {
    if (node.type !== 'Identifier') return
    const name = nameOf(node) ?? ''
    const parent = ancestors.at(-1)
    if (parent === undefined) return
    if (parent.type === 'MemberExpression' && childOf(parent, 'object') === node) {
      const property = nameOf(childOf(parent, 'property')) ?? ''
      const isCalled = ancestors.at(-2)?.type === 'CallExpression'
      if (
        shrinking.has(property) &&
        (property !== 'length' || ancestors.at(-2)?.type === 'AssignmentExpression')
      )
        this.#bounded.add(name)
      else if (growing.has(property) && isCalled && enclosingFunction(ancestors) !== undefined)
        this.#growsIn.set(name, property)
      return
    }
    const isDeclaration = parent.type === 'VariableDeclarator' && childOf(parent, 'id') === node
    const isRead = parent.type === 'ForOfStatement' || parent.type === 'SpreadElement'
    // Handed on, returned or assigned: somebody else may empty it.
    if (!isDeclaration && !isRead) this.#bounded.add(name)
  }

  report(): void {
    if (commandPath.test(this.#file.file.path)) return
    for (const [name, node] of this.#declared) {
      const method = this.#growsIn.get(name)
      if (method === undefined || this.#bounded.has(name)) continue
      this.#file.report(
        'performance/unbounded-growth',
        { start: node.start },
        `"${name}" lives as long as the process, and only ${method} is ever called on it.`,
      )
    }
  }
}
