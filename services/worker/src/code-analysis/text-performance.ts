import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'
import { applyPatterns, type TextPattern } from './text-patterns.ts'

const patterns: readonly TextPattern[] = [
  {
    rule: 'performance/row-iteration',
    languages: ['Python'],
    codeOnly: true,
    pattern: /\.iterrows\(\)/g,
    message: 'iterrows makes an object for each row.',
  },
  {
    rule: 'performance/compile-in-loop',
    languages: ['Go'],
    codeOnly: true,
    pattern: /^[ \t]+[^\n]*\bregexp\.MustCompile\(/gm,
    message: 'The pattern is compiled at every call.',
    confirm: (match) => !/^\s*(?:var\s+)?\w+\s*=\s*regexp/.test(match) || /:=/.test(match),
  },
]

const pythonBlocking =
  /(?<![\w.])(?:time\.sleep|requests\.(?:get|post|put|delete|patch|head|request)|urllib\.request\.urlopen|subprocess\.(?:run|call|check_output|check_call)|os\.system)\(/g
const pythonQuery =
  /\.objects\.(?:get|filter|create)\(|\b(?:cursor|cur|conn|session|db|connection)\.(?:execute|query|scalar|fetch\w*)\(|(?<![\w.])requests\.(?:get|post)\(/g
const braceQuery: { readonly [language: string]: RegExp } = {
  Go: /\b\w*(?:db|tx|conn|pool|stmt)\.(?:Query|QueryRow|Exec)(?:Context)?\(|\bhttp\.(?:Get|Post)\(/gi,
  Java: /\b\w*(?:repository|dao|em|entityManager|session|jdbcTemplate|statement|stmt)\.(?:find\w*|query\w*|execute\w*|get|load|save)\(/gi,
  PHP: /->(?:query|execute|find|findOne|findOneBy)\(|\bmysqli?_query\(/g,
  'C#': /\b\w*(?:context|db|repository)\.(?:\w+\.)?(?:Find|First|Single|ExecuteReader)\w*\(/gi,
}

/** Slow patterns in languages without a parser here, found by indentation and brackets. */
export function textPerformance(): Analyzer {
  return {
    name: 'kyros-text-performance',
    version: '1',
    file(file) {
      const { language } = file.file
      if (!file.isProduct || !(language === 'Python' || language in braceQuery)) return false
      applyPatterns(file, patterns)
      if (language === 'Python') pythonLoops(file)
      else braceLoops(file, language)
      return true
    },
  }
}

function pythonLoops(file: FileUnderAnalysis): void {
  const open: { indent: number; kind: 'loop' | 'async' | 'def' | 'other' }[] = []
  const lines = file.masked.bare.split('\n')
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    const indent = line.length - line.trimStart().length
    while (open.length > 0 && (open.at(-1)?.indent ?? 0) >= indent) open.pop()
    const scope = open.findLast(({ kind }) => kind === 'async' || kind === 'def')
    const inLoop = open
      .slice(scope === undefined ? 0 : open.indexOf(scope))
      .some(({ kind }) => kind === 'loop')
    const start = file.source.lineStart(index + 1)
    const blocking = [...line.matchAll(pythonBlocking)][0]
    if (blocking !== undefined && scope?.kind === 'async' && !/\bawait\b/.test(line)) {
      file.report(
        'performance/blocking-in-async',
        { start: start + blocking.index },
        `${blocking[0]}…) blocks the event loop.`,
      )
    }
    const query = [...line.matchAll(pythonQuery)][0]
    if (query !== undefined && inLoop && !/^\s*(?:for|while)\b/.test(line)) {
      file.report(
        'performance/query-in-loop',
        { start: start + query.index },
        `${query[0].replace(/^\./, '')}…) runs once for each element.`,
      )
    }
    const kind = /^\s*async\s+def\b/.test(line)
      ? 'async'
      : /^\s*(?:def|class)\b/.test(line)
        ? 'def'
        : /^\s*(?:async\s+)?for\b.*:\s*$/.test(line)
          ? 'loop'
          : 'other'
    if (kind !== 'other') open.push({ indent, kind })
  }
}

const maxLoopCharacters = 20_000

function braceLoops(file: FileUnderAnalysis, language: string): void {
  const { bare } = file.masked
  const query = braceQuery[language]
  for (const loop of bare.matchAll(/\b(?:for|foreach)\b[^{};]*(?:;[^{};]*;[^{};]*)?\{/g)) {
    const open = loop.index + loop[0].length - 1
    const body = bare.slice(open, endOfBlock(bare, open))
    for (const found of query === undefined ? [] : body.matchAll(query)) {
      file.report(
        'performance/query-in-loop',
        { start: open + found.index },
        `${found[0]}…) runs once for each element.`,
      )
    }
    if (language === 'Go') goLoop(file, body, open)
    if (language === 'Java') {
      for (const found of body.matchAll(/\b(\w+)\s*\+=\s*"|\b(\w+)\s*=\s*\2\s*\+\s*"/g)) {
        file.report(
          'performance/string-in-loop',
          { start: open + found.index },
          'Every round copies the whole text.',
        )
      }
    }
  }
}

function goLoop(file: FileUnderAnalysis, body: string, open: number): void {
  for (const found of body.matchAll(/\n[ \t]*defer\s/g)) {
    // A function literal inside the loop ends, and runs its deferred calls, in every round.
    if (/\bfunc\s*\([^)]*\)[^{\n]*\{/.test(body.slice(0, found.index))) continue
    const start = open + found.index + found[0].search(/defer/)
    file.report('performance/defer-in-loop', { start }, 'The calls pile up until the function returns.')
  }
  for (const found of body.matchAll(/<-\s*time\.After\(/g)) {
    file.report(
      'performance/timer-in-loop',
      { start: open + found.index },
      'A new timer is made in every round.',
      { severity: 'info' },
    )
  }
}

function endOfBlock(text: string, open: number): number {
  let depth = 0
  const limit = Math.min(text.length, open + maxLoopCharacters)
  for (let at = open; at < limit; at++) {
    const character = text.charCodeAt(at)
    if (character === 123) depth++
    else if (character === 125 && --depth === 0) return at
  }
  return limit
}
