import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'

const minTokens = 90
const minLines = 10
/** A table of numbers repeats itself without being copied code. */
const minDistinctTokens = 22
const windowTokens = 40
/** Only every eighth window is remembered, and every window is looked up: long copies are still always found. */
const rememberEvery = 8
const maxFileTokens = 150_000
const maxTotalTokens = 12_000_000
const mediumLines = 80

type TokenFile = { readonly path: string; readonly tokens: Int32Array; readonly lines: Int32Array }
type Place = { readonly file: number; readonly at: number }
type Copy = { readonly start: number; readonly other: Place; readonly length: number }

/** Finds copied code by comparing tokens; white space and comments do not matter, names do. */
export function duplicateCode(skip: (what: string, why: string, example?: string) => void): Analyzer {
  const files: TokenFile[] = []
  const places = new Map<number, number>()
  let totalTokens = 0
  let totalLines = 0
  let copiedLines = 0
  return {
    name: 'kyros-duplicates',
    version: '1',
    file(file) {
      if (
        !file.file.is_code ||
        !file.isProduct ||
        file.file.syntax === 'none' ||
        file.file.path.endsWith('.d.ts')
      )
        return false
      if (totalTokens > maxTotalTokens) {
        skip('files', `duplicates are looked for in the first ${maxTotalTokens} tokens`, file.file.path)
        return false
      }
      const tokenFile = tokenise(file)
      if (tokenFile.tokens.length > maxFileTokens) {
        skip('files', `they are too long to look for duplicates in`, file.file.path)
        return false
      }
      files.push(tokenFile)
      totalTokens += tokenFile.tokens.length
      totalLines += file.file.lines
      copiedLines += compare(file, files, places)
      return true
    },
    metrics: () => ({
      duplicated_lines: copiedLines,
      duplicated_percent: totalLines === 0 ? 0 : Math.round((copiedLines / totalLines) * 1_000) / 10,
    }),
  }
}

const importLine =
  /^[ \t]*(?:import\b|from\s+\S+\s+import\b|using\s|#\s*include\b|package\s|use\s|require\b|export\s+\*|\}\s*from\b)[^\n]*$/gm
const tokenPattern = /[A-Za-z_$][\w$]*|\d[\w.]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[^\s\w]/g

function tokenise(file: FileUnderAnalysis): TokenFile {
  // Doc strings repeat each other without being code.
  const code = file.file.syntax === 'python' ? file.masked.bare : file.masked.code
  const text = code.replace(importLine, (line) => ' '.repeat(line.length))
  const tokens: number[] = []
  const lines: number[] = []
  let line = 1
  let at = 0
  for (const match of text.matchAll(tokenPattern)) {
    for (
      let next = text.indexOf('\n', at);
      next !== -1 && next < match.index;
      next = text.indexOf('\n', at)
    ) {
      line++
      at = next + 1
    }
    tokens.push(hashText(match[0]))
    lines.push(line)
  }
  return { path: file.file.path, tokens: Int32Array.from(tokens), lines: Int32Array.from(lines) }
}

function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash | 0
}

/** Looks the newest file up among all before it (and itself), then remembers it. Returns the copied lines. */
function compare(file: FileUnderAnalysis, files: readonly TokenFile[], places: Map<number, number>): number {
  const current = files.length - 1
  const subject = files[current]
  if (subject === undefined || subject.tokens.length < windowTokens) return 0
  let copied = 0
  const hashes = windowHashes(subject.tokens)
  for (let at = 0; at < hashes.length; at++) {
    const hash = hashes[at] ?? 0
    const known = places.get(hash)
    if (known !== undefined) {
      const copy = extend(files, { file: current, at }, unpack(known))
      if (copy !== undefined) {
        copied += reportCopy(file, files, copy)
        // Nothing inside the copy is remembered: the first place stays the one that is named.
        at = copy.start + copy.length - 1
        continue
      }
    }
    if (at % rememberEvery === 0 && known === undefined) places.set(hash, pack({ file: current, at }))
  }
  return copied
}

function windowHashes(tokens: Int32Array): Int32Array {
  const hashes = new Int32Array(Math.max(0, tokens.length - windowTokens + 1))
  const base = 0x01000197
  let high = 1
  for (let step = 1; step < windowTokens; step++) high = Math.imul(high, base)
  let hash = 0
  for (let at = 0; at < tokens.length; at++) {
    if (at >= windowTokens) hash = (hash - Math.imul(tokens[at - windowTokens] ?? 0, high)) | 0
    hash = (Math.imul(hash, base) + (tokens[at] ?? 0)) | 0
    if (at >= windowTokens - 1) hashes[at - windowTokens + 1] = hash
  }
  return hashes
}

const positionsPerFile = 1 << 18

function pack(place: Place): number {
  return place.file * positionsPerFile + place.at
}

function unpack(packed: number): Place {
  return { file: Math.floor(packed / positionsPerFile), at: packed % positionsPerFile }
}

/** The longest run of equal tokens around two places, if it is long enough to be worth naming. */
function extend(files: readonly TokenFile[], here: Place, there: Place): Copy | undefined {
  const left = files[here.file]
  const right = files[there.file]
  if (left === undefined || right === undefined) return undefined
  const isSame = here.file === there.file
  let back = 0
  while (
    here.at - back > 0 &&
    there.at - back > 0 &&
    left.tokens[here.at - back - 1] === right.tokens[there.at - back - 1]
  ) {
    back++
  }
  let length = 0
  const start = here.at - back
  const otherStart = there.at - back
  while (
    start + length < left.tokens.length &&
    otherStart + length < (isSame ? start : right.tokens.length) &&
    left.tokens[start + length] === right.tokens[otherStart + length]
  ) {
    length++
  }
  if (length < minTokens) return undefined
  const lines = (left.lines[start + length - 1] ?? 0) - (left.lines[start] ?? 0) + 1
  if (lines < minLines) return undefined
  if (new Set(left.tokens.subarray(start, start + length)).size < minDistinctTokens) return undefined
  return { start, other: { file: there.file, at: otherStart }, length }
}

function reportCopy(file: FileUnderAnalysis, files: readonly TokenFile[], copy: Copy): number {
  const subject = files.at(-1)
  const other = files[copy.other.file]
  if (subject === undefined || other === undefined) return 0
  const from = subject.lines[copy.start] ?? 1
  const to = subject.lines[copy.start + copy.length - 1] ?? from
  const otherFrom = other.lines[copy.other.at] ?? 1
  const lines = to - from + 1
  const { source } = file
  file.report(
    'static/duplicate-code',
    { start: source.lineStart(from), end: source.lineStart(to) + source.line(to).length },
    `${lines} lines are the same as ${other.path}:${otherFrom}.`,
    { severity: lines > mediumLines ? 'medium' : 'low' },
  )
  return lines
}
