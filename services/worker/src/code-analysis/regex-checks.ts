import { analyse } from 'scslre'
import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'
import { type SyntaxNode, type Visit, walkTree } from './syntax-tree.ts'
import { analyzerVersions } from './tool-versions.ts'

const maxPatternCharacters = 1_500
const maxShownCharacters = 80

/** Regular expressions of JavaScript and TypeScript that can take exponential time. */
export function regexChecks(): Analyzer {
  return {
    name: 'scslre',
    version: analyzerVersions.scslre,
    file(file) {
      if (!file.isScript || !file.isProduct || file.file.path.endsWith('.d.ts')) return false
      const visit: Visit = (node) => checkLiteral(file, node)
      walkTree(file.parsed.program, { enter: new Map([['Literal', [visit]]]) })
      return true
    },
  }
}

function checkLiteral(file: FileUnderAnalysis, node: SyntaxNode): void {
  const regex = regexOf(node)
  // Without two repetitions, one inside or beside the other, nothing can go wrong.
  if (
    regex === undefined ||
    regex.source.length > maxPatternCharacters ||
    !/[*+}].*[*+}]/s.test(regex.source)
  )
    return
  try {
    const { reports } = analyse(regex, { reportTypes: { Self: true, Trade: false, Move: false } })
    if (!reports.some(({ exponential }) => exponential)) return
  } catch {
    // Syntax that the library does not know yet.
    return
  }
  const shown =
    regex.source.length > maxShownCharacters ? `${regex.source.slice(0, maxShownCharacters)}…` : regex.source
  file.report(
    'performance/regex-backtracking',
    { start: node.start, end: node.end },
    `/${shown}/ can match the same text in many ways.`,
    { severity: 'high' },
  )
}

function regexOf(node: SyntaxNode): { source: string; flags: string } | undefined {
  const { regex } = node
  if (typeof regex !== 'object' || regex === null || !('pattern' in regex) || !('flags' in regex))
    return undefined
  const { pattern, flags } = regex
  return typeof pattern === 'string' && typeof flags === 'string' ? { source: pattern, flags } : undefined
}
