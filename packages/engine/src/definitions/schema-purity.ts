import { isFunction, nameOf, nodeIn, nodesIn, parseFile, type SyntaxNode, walk } from './syntax-tree.ts'

/**
 * The text of a definition's file with every constant that is made by a call marked as free of effects, so that the
 * bundler drops it where nothing uses it: an input schema that is built beside the definition does not enter the
 * bundle. Lines stay where they are.
 */
export function markUnused(path: string, text: string, definition: string): string {
  const marks = parseFile(path, text).body.flatMap((statement) => constantsOf(statement, definition))
  let marked = text
  for (const { start, end } of marks.toReversed()) {
    marked = `${marked.slice(0, start)}/* @__PURE__ */ (() => (${marked.slice(start, end)}))()${marked.slice(end)}`
  }
  return marked
}

function constantsOf(statement: SyntaxNode, definition: string): SyntaxNode[] {
  const declaration =
    statement.type === 'ExportNamedDeclaration' ? nodeIn(statement, 'declaration') : statement
  if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') return []
  return nodesIn(declaration, 'declarations').flatMap((one) => {
    const init = one.init
    const value = nodeIn(one, 'init')
    if (value === undefined || nameOf(nodeIn(one, 'id')) === definition || !makesCalls(value)) return []
    // The whole initial value, with the type assertions that `nodeIn` looks through.
    return [isWhole(init) ? init : value]
  })
}

function isWhole(node: unknown): node is SyntaxNode {
  return typeof node === 'object' && node !== null && 'start' in node && 'end' in node && 'type' in node
}

function makesCalls(value: SyntaxNode): boolean {
  if (isFunction(value)) return false
  let [calls, waits] = [false, false]
  walk(value, ({ type }) => {
    if (type === 'CallExpression' || type === 'NewExpression') calls = true
    if (type === 'AwaitExpression') waits = true
  })
  return calls && !waits
}
