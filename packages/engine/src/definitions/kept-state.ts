import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import { errorAt, warningAt } from './fault.ts'
import {
  boundNames,
  childrenOf,
  isFunction,
  nameOf,
  nodeIn,
  nodesIn,
  type ParsedFile,
  type SyntaxNode,
} from './syntax-tree.ts'

const collections = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Array', 'Object'])
const changing = /^(set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|assign)$/
const hint = 'keep it in a variable inside run, where each run has its own'

type Kept = { reassigned: Set<string>; collections: Set<string> }

/**
 * Variables of a module that functions change. All runs of a definition share its module, so what one run leaves there
 * another one finds, and a replay finds something else again.
 */
export function findKeptState(file: string, { body, lineOf }: ParsedFile): WorkflowFault[] {
  const kept = declaredAtTop(body)
  if (kept.reassigned.size + kept.collections.size === 0) return []
  const faults: WorkflowFault[] = []
  const seen = new Set<string>()
  const report = (name: string, node: SyntaxNode) => {
    const place = { file, line: lineOf(node.start) }
    if (seen.has(`${name} ${place.line}`)) return
    seen.add(`${name} ${place.line}`)
    faults.push(
      kept.reassigned.has(name)
        ? errorAt(place, 'state_kept', `changes ${name}, which all runs share`, hint)
        : warningAt(place, 'state_kept', `changes what is in ${name}, which all runs share`, hint),
    )
  }
  for (const statement of body) visit(statement, { inFunction: false, own: new Set() }, kept, report)
  return faults
}

function declaredAtTop(body: readonly SyntaxNode[]): Kept {
  const kept: Kept = { reassigned: new Set(), collections: new Set() }
  for (const statement of body) {
    const declaration =
      statement.type === 'ExportNamedDeclaration' ? nodeIn(statement, 'declaration') : statement
    if (declaration?.type !== 'VariableDeclaration') continue
    for (const one of nodesIn(declaration, 'declarations')) {
      const names = boundNames(nodeIn(one, 'id'))
      const isFixed = declaration.kind === 'const'
      for (const name of names) {
        if (!isFixed) kept.reassigned.add(name)
        else if (isCollection(nodeIn(one, 'init'))) kept.collections.add(name)
      }
    }
  }
  return kept
}

function isCollection(init: SyntaxNode | undefined): boolean {
  if (init?.type === 'ArrayExpression' || init?.type === 'ObjectExpression') return true
  return init?.type === 'NewExpression' && collections.has(nameOf(nodeIn(init, 'callee')) ?? '')
}

type Within = { inFunction: boolean; own: ReadonlySet<string> }

function visit(
  node: SyntaxNode,
  within: Within,
  kept: Kept,
  report: (name: string, node: SyntaxNode) => void,
): void {
  if (within.inFunction) {
    const name = changedName(node)
    const isKept = name !== undefined && (kept.reassigned.has(name) || kept.collections.has(name))
    if (isKept && !within.own.has(name)) report(name, node)
  }
  const inner = isFunction(node)
    ? { inFunction: true, own: new Set([...within.own, ...ownNames(node)]) }
    : within
  for (const child of childrenOf(node)) visit(child, inner, kept, report)
}

/** Names that a function binds itself, wherever in it: they hide those of the module. */
function ownNames(node: SyntaxNode): string[] {
  const names = nodesIn(node, 'params').flatMap(boundNames)
  const collect = (inner: SyntaxNode): void => {
    if (/^(VariableDeclaration|FunctionDeclaration|ClassDeclaration)$/.test(inner.type))
      names.push(...boundNames(inner))
    if (inner.type === 'CatchClause') names.push(...boundNames(nodeIn(inner, 'param')))
    if (!isFunction(inner)) for (const child of childrenOf(inner)) collect(child)
  }
  const body = nodeIn(node, 'body')
  if (body !== undefined) collect(body)
  return names
}

/** The variable that an expression changes, itself or in what it holds. */
function changedName(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case 'AssignmentExpression':
      return rootName(nodeIn(node, 'left'))
    case 'UpdateExpression':
      return rootName(nodeIn(node, 'argument'))
    case 'UnaryExpression':
      return node.operator === 'delete' ? rootName(nodeIn(node, 'argument')) : undefined
    case 'CallExpression': {
      const callee = nodeIn(node, 'callee')
      if (callee?.type !== 'MemberExpression') return undefined
      return changing.test(nameOf(nodeIn(callee, 'property')) ?? '')
        ? rootName(nodeIn(callee, 'object'))
        : undefined
    }
    default:
      return undefined
  }
}

function rootName(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === 'MemberExpression') return rootName(nodeIn(node, 'object'))
  return node?.type === 'Identifier' ? nameOf(node) : undefined
}
