import { type EcmaScriptModule, parseSync, visitorKeys } from 'oxc-parser'

/** A node of a parsed JavaScript or TypeScript file. Rules look at fields through the guards below. */
export type SyntaxNode = {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

export type ParsedModule = {
  readonly program: SyntaxNode
  readonly module: EcmaScriptModule
  readonly comments: readonly { readonly start: number; readonly end: number }[]
  readonly errors: readonly {
    readonly message: string
    readonly start: number
    readonly help: string | undefined
  }[]
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** The child in a field, looking through parentheses and type assertions, which mean nothing at run time. */
export function childOf(node: SyntaxNode | undefined, field: string): SyntaxNode | undefined {
  const value = node?.[field]
  return isNode(value) ? plain(value) : undefined
}

export function childrenOf(node: SyntaxNode | undefined, field: string): SyntaxNode[] {
  const value = node?.[field]
  return Array.isArray(value) ? value.filter(isNode).map(plain) : []
}

const transparent = new Set([
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
  'ChainExpression',
])

export function plain(node: SyntaxNode): SyntaxNode {
  let current = node
  while (transparent.has(current.type)) {
    const inner = current.expression
    if (!isNode(inner)) break
    current = inner
  }
  return current
}

export function nameOf(node: SyntaxNode | undefined): string | undefined {
  if (node === undefined) return undefined
  const { name, value } = node
  if ((node.type === 'Identifier' || node.type === 'PrivateIdentifier') && typeof name === 'string')
    return name
  return node.type === 'Literal' && typeof value === 'string' ? value : undefined
}

/** `a.b.c` of a plain chain of names, with `this` as a name; undefined for anything computed. */
export function dottedName(node: SyntaxNode | undefined): string | undefined {
  if (node === undefined) return undefined
  if (node.type === 'ThisExpression') return 'this'
  if (node.type === 'Identifier') return nameOf(node)
  if (node.type !== 'MemberExpression' || node.computed === true) return undefined
  const object = dottedName(childOf(node, 'object'))
  const property = nameOf(childOf(node, 'property'))
  return property === undefined ? undefined : `${object ?? '()'}.${property}`
}

export function stringValue(node: SyntaxNode | undefined): string | undefined {
  const value = node?.type === 'Literal' ? node.value : undefined
  return typeof value === 'string' ? value : undefined
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

export function isFunction(node: SyntaxNode | undefined): boolean {
  return node !== undefined && functionTypes.has(node.type)
}

const loopTypes = new Set([
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
])

export function isLoop(node: SyntaxNode): boolean {
  return loopTypes.has(node.type)
}

export type Visit = (node: SyntaxNode, ancestors: readonly SyntaxNode[]) => void

export type Visitors = {
  readonly enter: ReadonlyMap<string, readonly Visit[]>
  readonly leave?: Visit
  readonly every?: Visit
}

/** Walks a tree once. `ancestors` is outermost first and only valid during the call. */
export function walkTree(program: SyntaxNode, visitors: Visitors): void {
  const ancestors: SyntaxNode[] = []
  const visit = (node: SyntaxNode): void => {
    visitors.every?.(node, ancestors)
    for (const enter of visitors.enter.get(node.type) ?? []) enter(node, ancestors)
    const fields = visitorKeys[node.type]
    if (fields !== undefined) {
      ancestors.push(node)
      for (const field of fields) {
        const value = node[field]
        if (Array.isArray(value)) {
          for (const item of value) if (isNode(item)) visit(item)
        } else if (isNode(value)) visit(value)
      }
      ancestors.pop()
    }
    visitors.leave?.(node, ancestors)
  }
  visit(program)
}

type ParserLanguage = 'js' | 'jsx' | 'ts' | 'tsx' | 'dts'

/** Parses by the rules of the extension; a plain `.js` file may contain JSX or Flow-free scripts and modules. */
export function parseModule(path: string, text: string): ParsedModule {
  const lang = parserLanguage(path)
  const result = parseSync('source', text, { lang, sourceType: 'unambiguous', preserveParens: false })
  return {
    // The parser's own node types are a closed union without an index; rules read fields through guards.
    program: result.program as unknown as SyntaxNode,
    module: result.module,
    comments: result.comments,
    errors: result.errors
      .filter((error) => error.severity === 'Error')
      .map((error) => ({
        message: error.message,
        start: error.labels[0]?.start ?? 0,
        help: error.helpMessage ?? undefined,
      })),
  }
}

function parserLanguage(path: string): ParserLanguage {
  if (/\.d\.[cm]?ts$/.test(path)) return 'dts'
  if (/\.[cm]?ts$/.test(path)) return 'ts'
  if (path.endsWith('.tsx')) return 'tsx'
  return 'jsx'
}
