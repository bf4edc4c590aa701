// Adds to what vitest saw what ran in processes and threads that the tests started. Those run the sources by type
// stripping, which keeps positions, so V8's offsets are offsets in the file itself.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How often the character at each offset of a file ran, over all processes. */
export type Hits = Uint32Array

interface Place {
  readonly start: { readonly line: number; readonly column: number }
}

/** As much of istanbul's coverage of a file as counting needs. */
export interface CountedFile {
  readonly statementMap: Readonly<Record<string, Place>>
  readonly fnMap: Readonly<Record<string, { readonly loc: Place }>>
  readonly branchMap: Readonly<Record<string, { readonly locations: readonly Place[] }>>
  readonly s: Record<string, number>
  readonly f: Record<string, number>
  readonly b: Record<string, number[]>
}

/** Where the processes of a run that reports to `reportsDirectory` write: inside what vitest removes at its end. */
export function processDirectory(reportsDirectory: string): string {
  return join(reportsDirectory, '.tmp', 'processes')
}

/** Reads what Node wrote into `directory`, one file at a time, and sums it by source file. */
export function readHits(directory: string, isCounted: (path: string) => boolean): Map<string, Hits> {
  const hits = new Map<string, Hits>()
  const names = existsSync(directory) ? readdirSync(directory) : []
  for (const name of names.filter((name) => name.endsWith('.json'))) {
    for (const script of readScripts(join(directory, name))) {
      const path = sourcePath(script.url)
      if (path !== undefined && isCounted(path)) hits.set(path, addScript(hits.get(path), path, script))
    }
  }
  return hits
}

function readScripts(path: string): readonly Profiler.ScriptCoverage[] {
  try {
    // What Node writes there has this form: https://nodejs.org/api/cli.html#node_v8_coveragedir
    return (JSON.parse(readFileSync(path, 'utf8')) as { result: Profiler.ScriptCoverage[] }).result
  } catch (error) {
    // Cut off because a test killed its process while it wrote.
    if (error instanceof SyntaxError) return []
    throw error
  }
}

function sourcePath(url: string): string | undefined {
  if (!url.startsWith('file://') || url.includes('/node_modules/')) return undefined
  return fileURLToPath(new URL(url))
}

function addScript(earlier: Hits | undefined, path: string, script: Profiler.ScriptCoverage): Hits {
  const total = earlier ?? new Uint32Array(existsSync(path) ? readFileSync(path, 'utf8').length : 0)
  const counts = new Uint32Array(total.length)
  const ranges = script.functions.flatMap(({ ranges }) => ranges)
  // The innermost range around an offset decides, so inner ones are painted over outer ones.
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  for (const { count, startOffset, endOffset } of ranges) counts.fill(count, startOffset, endOffset)
  for (let offset = 0; offset < total.length; offset++) {
    total[offset] = (total[offset] ?? 0) + (counts[offset] ?? 0)
  }
  return total
}

/** Adds the hits to the statements, functions and branches of `file`, whose text is `source`. */
export function addHits(file: CountedFile, source: string, hits: Hits): void {
  const lineStarts = [0]
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) lineStarts.push(at + 1)
  const hitsAt = ({ start }: Place) => hits[(lineStarts[start.line - 1] ?? Infinity) + start.column] ?? 0
  for (const [id, place] of Object.entries(file.statementMap)) file.s[id] = (file.s[id] ?? 0) + hitsAt(place)
  for (const [id, { loc }] of Object.entries(file.fnMap)) file.f[id] = (file.f[id] ?? 0) + hitsAt(loc)
  for (const [id, { locations }] of Object.entries(file.branchMap)) {
    file.b[id] = locations.map((place, index) => (file.b[id]?.[index] ?? 0) + hitsAt(place))
  }
}
