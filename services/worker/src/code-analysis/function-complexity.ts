import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'
import { childOf, isFunction, nameOf, type SyntaxNode, walkTree } from './syntax-tree.ts'
import { textFunctions } from './text-functions.ts'

/** A function, whatever the language. */
export type MeasuredFunction = {
  readonly name: string
  readonly start: number
  readonly end: number
  /** Paths through it: 1 and one for each branch (McCabe). */
  readonly complexity: number
  readonly depth: number
}

const complexityLow = 15
const complexityMedium = 25
const linesLow = 80
const linesMedium = 200
const depthLow = 6
const fileLinesLow = 800
const fileLinesMedium = 2_000

/** Complexity, length and nesting of functions, and length of files. */
export function functionComplexity(): Analyzer {
  let functions = 0
  let totalComplexity = 0
  let maxComplexity = 0
  return {
    name: 'kyros-complexity',
    version: '1',
    file(file) {
      if (!file.file.is_code || !file.isProduct) return false
      reportFileLength(file)
      const found = file.isScript ? scriptFunctions(file) : textFunctions(file)
      for (const measured of found) {
        functions++
        totalComplexity += measured.complexity
        maxComplexity = Math.max(maxComplexity, measured.complexity)
        reportFunction(file, measured)
      }
      return true
    },
    metrics: () => ({
      functions,
      mean_complexity: functions === 0 ? 0 : Math.round((totalComplexity / functions) * 100) / 100,
      max_complexity: maxComplexity,
    }),
  }
}

function reportFileLength(file: FileUnderAnalysis): void {
  const { lines } = file.file
  if (lines <= fileLinesLow) return
  const severity = lines > fileLinesMedium ? 'medium' : 'low'
  file.report('static/long-file', { start: 0 }, `${lines} lines; ${fileLinesLow} is a good limit.`, {
    severity,
  })
}

function reportFunction(file: FileUnderAnalysis, measured: MeasuredFunction): void {
  const { name, start, end, complexity, depth } = measured
  const lines = file.source.lineAt(end - 1) - file.source.lineAt(start) + 1
  if (complexity > complexityLow) {
    const severity = complexity > complexityMedium ? 'medium' : 'low'
    const message = `${name} has ${complexity} paths (${complexityLow} is a good limit) in ${lines} lines.`
    file.report('static/complex-function', { start }, message, { severity })
  }
  if (lines > linesLow) {
    const severity = lines > linesMedium ? 'medium' : 'low'
    file.report(
      'static/long-function',
      { start },
      `${name} has ${lines} lines; ${linesLow} is a good limit.`,
      { severity },
    )
  }
  if (depth > depthLow) {
    file.report('static/deep-nesting', { start }, `${name} nests ${depth} blocks into each other.`)
  }
}

// A switch counts once: a long table of cases is easy to read.
const branchTypes = new Set([
  'SwitchStatement',
  'IfStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'ConditionalExpression',
  'CatchClause',
])
const blockTypes = new Set([
  'IfStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'SwitchStatement',
  'TryStatement',
])

type Open = { node: SyntaxNode; name: string; complexity: number; depth: number; maxDepth: number }

function scriptFunctions(file: FileUnderAnalysis): MeasuredFunction[] {
  const done: MeasuredFunction[] = []
  const open: Open[] = []
  walkTree(file.parsed.program, {
    enter: new Map(),
    every(node, ancestors) {
      if (isFunction(node)) {
        open.push({ node, name: functionName(node, ancestors), complexity: 1, depth: 0, maxDepth: 0 })
        return
      }
      const current = open.at(-1)
      if (current === undefined) return
      if (branchTypes.has(node.type)) current.complexity++
      if (node.type === 'LogicalExpression') current.complexity++
      if (blockTypes.has(node.type) && !isElseIf(node, ancestors)) {
        current.depth++
        current.maxDepth = Math.max(current.maxDepth, current.depth)
      }
    },
    leave(node, ancestors) {
      const current = open.at(-1)
      if (current === undefined) return
      if (current.node === node) {
        open.pop()
        const { start, end } = node
        done.push({ name: current.name, start, end, complexity: current.complexity, depth: current.maxDepth })
      } else if (blockTypes.has(node.type) && !isElseIf(node, ancestors)) current.depth--
    },
  })
  return done
}

function isElseIf(node: SyntaxNode, ancestors: readonly SyntaxNode[]): boolean {
  const parent = ancestors.at(-1)
  return node.type === 'IfStatement' && parent?.type === 'IfStatement' && parent.alternate === node
}

function functionName(node: SyntaxNode, ancestors: readonly SyntaxNode[]): string {
  const own = nameOf(childOf(node, 'id'))
  if (own !== undefined) return own
  const parent = ancestors.at(-1)
  const outer =
    nameOf(childOf(parent, 'key')) ?? nameOf(childOf(parent, 'id')) ?? nameOf(childOf(parent, 'left'))
  const property = nameOf(childOf(childOf(parent, 'left'), 'property'))
  return outer ?? property ?? 'An anonymous function'
}
