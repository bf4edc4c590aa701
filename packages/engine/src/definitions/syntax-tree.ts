import { parseSync } from 'oxc-parser'

/** A node of the syntax tree, seen through the fields that every node has. */
export type SyntaxNode = {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export type SyntaxFault = { message: string; line: number }

export type ParsedFile = {
  readonly body: readonly SyntaxNode[]
  readonly faults: readonly SyntaxFault[]
  readonly lineOf: (offset: number) => number
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

export function nodeIn(node: SyntaxNode | undefined, key: string): SyntaxNode | undefined {
  const child = node?.[key]
  return isNode(child) ? plain(child) : undefined
}

export function nodesIn(node: SyntaxNode | undefined, key: string): SyntaxNode[] {
  const children = node?.[key]
  return Array.isArray(children) ? children.filter(isNode).map(plain) : []
}

const transparent = new Set([
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'ChainExpression',
])

/** Looks through what means nothing when the code runs. */
function plain(node: SyntaxNode): SyntaxNode {
  const inner = transparent.has(node.type) ? node.expression : undefined
  return isNode(inner) ? plain(inner) : node
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isNode))
}

/** Calls `visit` for a node and all below it, parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node)
  for (const child of childrenOf(node)) walk(child, visit)
}

/** The text of an identifier, of a key or of a string. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  const name = node?.type === 'Literal' ? node.value : node?.name
  return typeof name === 'string' ? name : undefined
}

/** Names that a pattern or a declaration binds. */
export function boundNames(node: SyntaxNode | undefined): string[] {
  if (node === undefined) return []
  switch (node.type) {
    case 'Identifier':
      return [nameOf(node) ?? '']
    case 'ObjectPattern':
      return nodesIn(node, 'properties').flatMap((part) =>
        boundNames(nodeIn(part, part.type === 'RestElement' ? 'argument' : 'value')),
      )
    case 'ArrayPattern':
      return nodesIn(node, 'elements').flatMap(boundNames)
    case 'AssignmentPattern':
      return boundNames(nodeIn(node, 'left'))
    case 'RestElement':
      return boundNames(nodeIn(node, 'argument'))
    case 'VariableDeclaration':
      return nodesIn(node, 'declarations').flatMap((one) => boundNames(nodeIn(one, 'id')))
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return boundNames(nodeIn(node, 'id'))
    default:
      return []
  }
}

export function isFunction(node: SyntaxNode): boolean {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)
}

/** Reads a TypeScript or JavaScript file; also what of it is wrong. */
export function parseFile(path: string, text: string): ParsedFile {
  const result = parseSync(path, text, { astType: 'ts' })
  const program: unknown = result.program
  const lineOf = lineCounter(text)
  const faults = result.errors.map(({ message, labels }) => ({
    message,
    line: lineOf(labels[0]?.start ?? 0),
  }))
  return { body: isNode(program) ? nodesIn(program, 'body') : [], faults, lineOf }
}

function lineCounter(text: string): (offset: number) => number {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index)
  return (offset) => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}
