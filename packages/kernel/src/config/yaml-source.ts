import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { plannedNotice, type SourceResult } from './assigned.ts'
import { didYouMean } from './did-you-mean.ts'
import { readTyped } from './read-value.ts'
import type { OpenSection, Settings } from './setting.ts'

/** A configuration file is written by hand; anything longer is not one. */
const maxFileLength = 1_048_576
const maxDepth = 16

type Walk = { file: string; settings: Settings; lines: LineCounter; result: SourceResult }

/** Reads the text of a configuration file. Faults say the line and what is allowed there. */
export function readYaml(file: string, text: string, settings: Settings): SourceResult {
  const result: SourceResult = { assigned: [], faults: [], notices: [] }
  if (text.length > maxFileLength) {
    result.faults.push({
      what: `${file} is larger than ${maxFileLength} characters.`,
      next: 'Name the right file with --config.',
    })
    return result
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })
  for (const error of document.errors.slice(0, 5)) {
    result.faults.push({
      what: `${file}:${lines.linePos(error.pos[0]).line}: this is not YAML: ${error.message}`,
      next: 'Mend that line; docs/configuration.md shows an example.',
    })
  }
  if (document.errors.length > 0 || document.contents === null) return result
  if (!isMap(document.contents)) {
    result.faults.push({
      what: `${file}: the file must hold keys and values, such as \`server:\`.`,
      next: 'docs/configuration.md shows an example.',
    })
    return result
  }
  const resolve = (node: unknown) => (isAlias(node) ? node.resolve(document) : node)
  walkMap('', document.contents, { file, settings, lines, result }, resolve, 0)
  return result
}

function walkMap(
  parent: string,
  map: YAMLMap,
  walk: Walk,
  resolve: (node: unknown) => unknown,
  depth: number,
): void {
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : ''
    const path = parent === '' ? name : `${parent}.${name}`
    const line = lineOf(key, walk.lines)
    const node = resolve(value)
    if (isMap(node) && depth < maxDepth && isSection(path, walk.settings)) {
      walkMap(path, node, walk, resolve, depth + 1)
    } else {
      assign(path, line, node, walk)
    }
  }
}

function assign(path: string, line: number, node: unknown, walk: Walk): void {
  const { file, result, settings } = walk
  const where = `${file}:${line}`
  const setting = settings.byPath.get(path)
  const section = openSectionOf(path, settings.open)
  const raw = toValue(node)
  // A section or key that is written but left empty means its default.
  if (raw === null && (setting !== undefined || section !== undefined || isSection(path, settings))) return
  if (setting === undefined) {
    if (section) result.notices.push(plannedNotice(path, where, section.planned))
    else result.faults.push(unknownKey(path, where, settings))
    return
  }
  const read = readTyped(setting, raw)
  if (!read.ok) {
    result.faults.push({
      what: `${where}: ${path} is not right${shown(setting.secret, raw)}.`,
      next: `It must be ${read.allowed}.`,
    })
    return
  }
  if (setting.planned !== undefined) result.notices.push(plannedNotice(path, where, setting.planned))
  result.assigned.push({ setting, value: read.value, origin: { kind: 'file', file, line } })
}

/** The words for a key that does not exist, with the nearest one and all that are allowed beside it. */
function unknownKey(path: string, where: string, settings: Settings) {
  const inside = childrenOf(path, settings)
  if (inside.length > 0) {
    const next = `${path} is a section; under it are allowed: ${inside.join(', ')}.`
    return { what: `${where}: there is no setting ${path}.`, next }
  }
  const parent = path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : ''
  const siblings = childrenOf(parent, settings)
  const near = didYouMean(path, [...settings.byPath.keys(), ...childrenOf('', settings)])
  const meant = near === undefined ? '' : ` Did you mean ${near}?`
  const place = parent === '' ? 'At the top' : `In ${parent}`
  return {
    what: `${where}: there is no setting ${path}.${meant}`,
    next: siblings.length > 0 ? `${place} are allowed: ${siblings.join(', ')}.` : `${parent} takes a value.`,
  }
}

function childrenOf(parent: string, settings: Settings): string[] {
  const prefix = parent === '' ? '' : `${parent}.`
  const names = new Set<string>()
  for (const path of [...settings.all, ...settings.open].map((entry) => entry.path)) {
    if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('.')[0] ?? '')
  }
  names.delete('')
  return [...names]
}

function isSection(path: string, settings: Settings): boolean {
  const isParent = [...settings.byPath.keys()].some((key) => key.startsWith(`${path}.`))
  return isParent || openSectionOf(path, settings.open) !== undefined
}

export function openSectionOf(path: string, open: readonly OpenSection[]): OpenSection | undefined {
  return open.find((section) => path === section.path || path.startsWith(`${section.path}.`))
}

function toValue(node: unknown): unknown {
  if (isScalar(node)) return node.value
  if (node === null || node === undefined) return null
  return isNode(node) ? node.toJSON() : undefined
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'toJSON' in value
}

function lineOf(key: unknown, lines: LineCounter): number {
  const start = isScalar(key) ? key.range?.[0] : undefined
  return start === undefined ? 1 : lines.linePos(start).line
}

function shown(secret: boolean | 'url', raw: unknown): string {
  if (secret !== false || raw === undefined || typeof raw === 'object') return ''
  return `: ${JSON.stringify(raw).slice(0, 80)}`
}
