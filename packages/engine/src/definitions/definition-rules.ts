import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import { errorAt, warningAt } from './fault.ts'
import { findKeptState } from './kept-state.ts'
import {
  boundNames,
  isFunction,
  nameOf,
  nodeIn,
  nodesIn,
  type ParsedFile,
  parseFile,
  type SyntaxNode,
  walk,
} from './syntax-tree.ts'

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
const zoneMethods = /^([gs]et(Date|Day|FullYear|Hours|Minutes|Month)|getTimezoneOffset|to(Date|Time)String)$/

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
  if (method === undefined) return []
  const at = { file, line: lineOf(callee?.end ?? node.start) }
  if (localeMethods.test(method)) {
    const message = `${method} depends on the language and time zone of the machine`
    return [warningAt(at, 'language_dependent', message, 'name both, or format in a step')]
  }
  if (zoneMethods.test(method)) {
    const message = `${method} depends on the time zone of the machine`
    return [warningAt(at, 'language_dependent', message, 'use the UTC method of the same name')]
  }
  return []
}

const waits = new Set(['sleep', 'condition', 'shield', 'child', 'scope', 'saga', 'loop', 'continueAsNew'])

/** A call that stands alone: nothing waits for it, and it is cut off when the definition ends. */
function findFloating(file: string, { lineOf }: ParsedFile, nodes: readonly SyntaxNode[]): WorkflowFault[] {
  const takenOut = namesTakenOut(nodes)
  return nodes.flatMap((node) => {
    const call = node.type === 'ExpressionStatement' ? nodeIn(node, 'expression') : undefined
    const callee = call?.type === 'CallExpression' ? nodeIn(call, 'callee') : undefined
    if (callee === undefined || call === undefined) return []
    const isMember = callee.type === 'MemberExpression'
    const name = nameOf(isMember ? nodeIn(callee, 'property') : callee) ?? ''
    const isOfContext = isMember
      ? /^(context|ctx)$/.test(nameOf(nodeIn(callee, 'object')) ?? '')
      : takenOut.has(name)
    if (!isStepAccess(callee) && !(isOfContext && waits.has(name))) return []
    const message = `nothing waits for ${name}, which is cut off when the workflow ends`
    return [warningAt({ file, line: lineOf(call.start) }, 'not_awaited', message, 'write await before it')]
  })
}

/** Names that a function takes out of its first argument, as `run: async ({ step, sleep }) => …` does. */
function namesTakenOut(nodes: readonly SyntaxNode[]): Set<string> {
  const first = nodes.filter(isFunction).flatMap((node) => nodesIn(node, 'params').slice(0, 1))
  return new Set(first.filter(({ type }) => type === 'ObjectPattern').flatMap(boundNames))
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
