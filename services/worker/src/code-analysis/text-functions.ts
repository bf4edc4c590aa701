import type { FileUnderAnalysis } from './file-under-analysis.ts'
import type { MeasuredFunction } from './function-complexity.ts'

const braceLanguages = new Set([
  'Go',
  'Rust',
  'Java',
  'Kotlin',
  'Scala',
  'Groovy',
  'C',
  'C++',
  'C#',
  'Swift',
  'Objective-C',
  'Dart',
  'PHP',
  'Zig',
  'Solidity',
])

/** Functions of languages without a parser here, found by their headers and brackets or indentation. */
export function textFunctions(file: FileUnderAnalysis): MeasuredFunction[] {
  if (file.file.language === 'Python') return pythonFunctions(file)
  if (braceLanguages.has(file.file.language)) return braceFunctions(file)
  return []
}

const pythonBranch = /\b(?:if|elif|for|while|except|and|or|match)\b/g

function pythonFunctions(file: FileUnderAnalysis): MeasuredFunction[] {
  const found: MeasuredFunction[] = []
  const lines = file.masked.bare.split('\n')
  for (const [index, line] of lines.entries()) {
    const header = /^(\s*)(?:async\s+)?def\s+(\w+)/.exec(line)
    if (header === null) continue
    const indent = indentOf(line)
    const last = lastBodyLine(lines, index, indent)
    const body = lines.slice(index + 1, last + 1)
    found.push({
      name: header[2] ?? '',
      start: file.source.lineStart(index + 1) + (header[1]?.length ?? 0),
      end: file.source.lineStart(last + 1) + (lines[last]?.length ?? 0),
      complexity: 1 + (withoutInnerFunctions(body).join('\n').match(pythonBranch)?.length ?? 0),
      depth: pythonDepth(body, indent),
    })
  }
  return found
}

/** A body ends before the first line that is not indented deeper, once the header's brackets are closed. */
function lastBodyLine(lines: readonly string[], header: number, indent: number): number {
  let last = header
  let brackets = 0
  for (let at = header; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.trim() !== '' && at > header && brackets <= 0 && indentOf(line) <= indent) break
    for (const character of line) {
      if ('([{'.includes(character)) brackets++
      else if (')]}'.includes(character)) brackets--
    }
    if (line.trim() !== '') last = at
  }
  return last
}

function withoutInnerFunctions(body: readonly string[]): string[] {
  const kept: string[] = []
  let skipDeeperThan: number | undefined
  for (const line of body) {
    if (line.trim() === '') continue
    const indent = indentOf(line)
    if (skipDeeperThan !== undefined && indent > skipDeeperThan) continue
    skipDeeperThan = /^\s*(?:async\s+)?def\s/.test(line) ? indent : undefined
    if (skipDeeperThan === undefined) kept.push(line)
  }
  return kept
}

function pythonDepth(body: readonly string[], indent: number): number {
  const open: number[] = []
  let deepest = 0
  for (const line of withoutInnerFunctions(body)) {
    const own = indentOf(line)
    while (open.length > 0 && (open.at(-1) ?? indent) >= own) open.pop()
    if (/^\s*(?:if|for|while|try|with|match|async)\b.*/.test(line)) {
      open.push(own)
      deepest = Math.max(deepest, open.length)
    }
  }
  return deepest
}

function indentOf(line: string): number {
  const white = /^[ \t]*/.exec(line)?.[0] ?? ''
  return white.replaceAll('\t', '        ').length
}

const notFunctions = new Set([
  'if',
  'for',
  'while',
  'switch',
  'catch',
  'else',
  'do',
  'try',
  'return',
  'synchronized',
  'using',
  'lock',
  'fixed',
  'match',
  'select',
  'foreach',
  'elseif',
  'when',
  'guard',
  'loop',
  'unsafe',
  'with',
  'sizeof',
  'defined',
  'new',
  'throw',
])
const goAndRustHeader = /\b(?:func|fn|fun|function|def)\b[^{;]{0,400}\{/g
const cHeader =
  /(?:^|[\s*&~:>\]])([A-Za-z_]\w*)\s*\([^(){};]*(?:\([^(){};]*\)[^(){};]*)*\)\s*(?:const|noexcept|override|final|throws\s[\w.,\s]+|->\s*[\w:<>&*\s]+|:\s*[\w:<>&*?\s,()]+)?\s*\{/g
const braceBranch =
  /\b(?:if|for|while|switch|select|match|catch|when|guard|foreach|elseif)\b|&&|\|\||\?(?![.?:])(?=[^;\n]*:)/g

function braceFunctions(file: FileUnderAnalysis): MeasuredFunction[] {
  const { bare } = file.masked
  const keyword = /^(?:Go|Rust|Kotlin|Swift|PHP|Scala|Zig|Solidity)$/.test(file.file.language)
  const found: MeasuredFunction[] = []
  for (const match of bare.matchAll(keyword ? goAndRustHeader : cHeader)) {
    const name = keyword ? nameInHeader(match[0]) : match[1]
    if (name === undefined || notFunctions.has(name)) continue
    const open = match.index + match[0].length - 1
    const body = matchBraces(bare, open)
    if (body === undefined) continue
    const start = match.index + (match[0].length - match[0].trimStart().length)
    const text = bare.slice(open, body.end)
    const complexity = 1 + (text.match(braceBranch)?.length ?? 0)
    found.push({ name, start, end: body.end, complexity, depth: Math.max(0, body.depth - 1) })
  }
  return found
}

function nameInHeader(header: string): string {
  const afterReceiver = header.replace(/^\s*func\s*\([^)]*\)/, 'func')
  return (
    /\b(?:func|fn|fun|function|def)\s*&?\s*(?:\[[^\]]*\]\s*|<[^>]*>\s*)?([A-Za-z_][\w.]*)/.exec(
      afterReceiver,
    )?.[1] ?? 'An anonymous function'
  )
}

function matchBraces(text: string, open: number): { end: number; depth: number } | undefined {
  let depth = 0
  let deepest = 0
  for (let at = open; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === 123) deepest = Math.max(deepest, ++depth)
    else if (character === 125 && --depth === 0) return { end: at + 1, depth: deepest }
  }
  return undefined
}
