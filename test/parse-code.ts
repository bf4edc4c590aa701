// Reads code with oxc, once per text: several rules look at the same tree.
import { type Comment, parseSync } from 'oxc-parser'
import type { SourceFile } from './repository.ts'

/** A node of the syntax tree, seen through the three fields that every node has. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export interface Import {
  readonly specifier: string
  readonly kind: 'value' | 'type' | 'dynamic'
  readonly line: number
}

export interface ParsedCode {
  readonly program: SyntaxNode
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
  readonly lineOf: (offset: number) => number
}

const parsed = new Map<string, ParsedCode>()

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

/** Calls `visit` for every node below `node`, parents first. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => void,
  parent?: SyntaxNode,
): void {
  visit(node, parent)
  for (const value of Object.values(node)) {
    const children = Array.isArray(value) ? value : [value]
    for (const child of children) if (isNode(child)) walk(child, visit, node)
  }
}

/** The child of a node under a key, when it is a node. */
export function childOf(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const child = node[key]
  return isNode(child) ? child : undefined
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0]
  for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1))
    starts.push(index + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}

function literalOf(node: SyntaxNode | undefined): string | undefined {
  return typeof node?.value === 'string' ? node.value : undefined
}

function importsOf(program: SyntaxNode, lineOf: (offset: number) => number): Import[] {
  const imports: Import[] = []
  walk(program, (node) => {
    const source = childOf(node, 'source') ?? childOf(node, 'argument')
    const specifier = literalOf(source) ?? literalOf(source && childOf(source, 'literal'))
    if (specifier === undefined) return
    const line = lineOf(node.start)
    if (node.type === 'ImportExpression') imports.push({ specifier, kind: 'dynamic', line })
    if (node.type === 'TSImportType') imports.push({ specifier, kind: 'type', line })
    if (/^(Import|Export(Named|All))Declaration$/.test(node.type)) {
      const isType = node.importKind === 'type' || node.exportKind === 'type' || hasOnlyTypes(node)
      imports.push({ specifier, kind: isType ? 'type' : 'value', line })
    }
  })
  return imports
}

function hasOnlyTypes(node: SyntaxNode): boolean {
  const specifiers = Array.isArray(node.specifiers) ? node.specifiers : []
  return (
    specifiers.length > 0 &&
    specifiers.every((part) => part.importKind === 'type' || part.exportKind === 'type')
  )
}

/** The syntax tree, comments and imports of a file. */
export function parseCode(file: SourceFile): ParsedCode {
  const key = `${file.path}\n${file.text}`
  const known = parsed.get(key)
  if (known) return known
  const result = parseSync(file.path, file.text, { astType: 'ts' })
  const program: unknown = result.program
  if (!isNode(program)) throw new Error(`${file.path} cannot be parsed`)
  const lineOf = lineCounter(file.text)
  const code = { program, comments: result.comments, imports: importsOf(program, lineOf), lineOf }
  parsed.set(key, code)
  return code
}
