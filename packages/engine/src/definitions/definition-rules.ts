import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import { errorAt, warningAt } from './fault.ts'
import { findKeptState } from './kept-state.ts'
import { nameOf, nodeIn, nodesIn, type ParsedFile, parseFile, type SyntaxNode, walk } from './syntax-tree.ts'

/** What a file says of itself: its faults, and the steps that its code calls by name. */
export type FileFacts = {
  faults: WorkflowFault[]
  steps: { name: string; file: string; line: number }[]
}

/** What the tree of a file shows that the bundler cannot see. */
export function inspectFile(path: string, text: string): FileFacts {
  const parsed = parseFile(path, text)
  const nodes: SyntaxNode[] = []
  for (const statement of parsed.body) walk(statement, (node) => nodes.push(node))
  return {
    faults: [
      ...findKeptState(path, parsed),
      ...nodes.flatMap((node) => faultsOfNode(path, parsed, node)),
      ...findFloating(path, parsed, nodes),
    ],
    steps: findSteps(nodes).map(({ name, start }) => ({ name, file: path, line: parsed.lineOf(start) })),
  }
}

const localeMethods = /^(toLocale\w*|localeCompare)$/

function faultsOfNode(file: string, { lineOf }: ParsedFile, node: SyntaxNode): WorkflowFault[] {
  const place = { file, line: lineOf(node.start) }
  if (node.type === 'ImportExpression') {
    return [errorAt(place, 'code_from_text', 'imports while it runs', 'import at the top of the file')]
  }
  if (node.type === 'MetaProperty' && nameOf(nodeIn(node, 'meta')) === 'import') {
    return [
      errorAt(
        place,
        'machine_read',
        'uses import.meta, which is different on every machine',
        'pass it in the input, or do it in a step',
      ),
    ]
  }
  if (/^(Call|New)Expression$/.test(node.type) && nameOf(nodeIn(node, 'callee')) === 'Function') {
    return [
      errorAt(
        place,
        'code_from_text',
        'makes a function from text',
        'write the code where it can be checked',
      ),
    ]
  }
  const callee = node.type === 'CallExpression' ? nodeIn(node, 'callee') : undefined
  const method = callee?.type === 'MemberExpression' ? nameOf(nodeIn(callee, 'property')) : undefined
  if (method !== undefined && localeMethods.test(method)) {
    return [
      warningAt(
        { file, line: lineOf(callee?.end ?? node.start) },
        'language_dependent',
        `${method} depends on the language and time zone of the machine`,
        'name both, or format in a step',
      ),
    ]
  }
  return []
}

const waits = new Set(['sleep', 'condition', 'shield', 'child'])

/** A call that stands alone: nothing waits for it, and it is cut off when the definition ends. */
function findFloating(file: string, { lineOf }: ParsedFile, nodes: readonly SyntaxNode[]): WorkflowFault[] {
  return nodes.flatMap((node) => {
    const call = node.type === 'ExpressionStatement' ? nodeIn(node, 'expression') : undefined
    const callee = call?.type === 'CallExpression' ? nodeIn(call, 'callee') : undefined
    if (callee?.type !== 'MemberExpression' || call === undefined) return []
    const name = nameOf(nodeIn(callee, 'property')) ?? ''
    const isStep = isStepAccess(callee)
    const isWait = waits.has(name) && /^(context|ctx)$/.test(nameOf(nodeIn(callee, 'object')) ?? '')
    if (!isStep && !isWait) return []
    const message = `nothing waits for ${name}, which is cut off when the workflow ends`
    return [warningAt({ file, line: lineOf(call.start) }, 'not_awaited', message, 'write await before it')]
  })
}

/** `context.step.X`, or `step.X` where `step` was taken out of a context. */
function isStepAccess(node: SyntaxNode): boolean {
  if (node.type !== 'MemberExpression' || node.computed === true) return false
  const object = nodeIn(node, 'object')
  return object?.type === 'MemberExpression'
    ? nameOf(nodeIn(object, 'property')) === 'step'
    : object?.type === 'Identifier' && object.name === 'step'
}

function findSteps(nodes: readonly SyntaxNode[]): { name: string; start: number }[] {
  const called = nodes.flatMap((node) => {
    const property = isStepAccess(node) ? nodeIn(node, 'property') : undefined
    return property === undefined ? [] : [{ name: nameOf(property) ?? '', start: property.start }]
  })
  // const { First, Second } = context.step
  const taken = nodes.flatMap((node) => {
    if (node.type !== 'VariableDeclarator' || nodeIn(node, 'id')?.type !== 'ObjectPattern') return []
    const from = nodeIn(node, 'init')
    const isStep = nameOf(from?.type === 'MemberExpression' ? nodeIn(from, 'property') : from) === 'step'
    if (!isStep) return []
    return nodesIn(nodeIn(node, 'id'), 'properties').map((part) => ({
      name: nameOf(nodeIn(part, 'key')) ?? '',
      start: part.start,
    }))
  })
  const first = new Map<string, { name: string; start: number }>()
  for (const use of [...called, ...taken]) if (!first.has(use.name)) first.set(use.name, use)
  return [...first.values()].filter(({ name }) => name !== '')
}
