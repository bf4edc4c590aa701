import type { TObject } from 'typebox'

export type SettingValue = string | number | boolean | readonly string[] | undefined

export type SettingKind = 'string' | 'integer' | 'number' | 'boolean' | 'list' | 'choice'

/** One leaf of the configuration: what a user can set, and all that is known about it. */
export type Setting = {
  /** Such as `server.port`. */
  readonly path: string
  readonly kind: SettingKind
  readonly description: string
  readonly default: SettingValue
  readonly choices: readonly string[]
  /** Names of the environment besides `KYROS_<PATH>` and `ORCHESTRATOR_<PATH>`. */
  readonly env: readonly string[]
  /** Older paths in files that mean this setting. */
  readonly olderPaths: readonly string[]
  readonly unit: string | undefined
  /** `url`: only the password in it is secret. */
  readonly secret: boolean | 'url'
  /** The feature that will read it; until then it is accepted and does nothing. */
  readonly planned: string | undefined
  /** A value that other programs also use under this name: one that does not fit is left alone. */
  readonly shared: readonly string[]
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly minLength: number | undefined
  readonly pattern: string | undefined
  /** What `pattern` asks for, in words. */
  readonly format: string | undefined
}

/** A subtree that takes any key, because the feature that reads it decides. */
export type OpenSection = { readonly path: string; readonly planned: string }

export type Settings = {
  readonly all: readonly Setting[]
  readonly open: readonly OpenSection[]
  readonly byPath: ReadonlyMap<string, Setting>
  /** Every name of the environment → its setting, most specific name first. */
  readonly byEnv: ReadonlyMap<string, Setting>
}

type Node = Readonly<Record<string, unknown>>

const maxSettings = 1_000

/**
 * All settings of a schema made of TypeBox objects, in their order. Besides JSON Schema's words a leaf may say
 * `env`, `olderPaths`, `unit`, `secret`, `planned`, `shared` and `format` (see Setting).
 */
export function settingsOf(schema: TObject): Settings {
  const all: Setting[] = []
  const open: OpenSection[] = []
  collect('', asNode(schema), undefined, all, open)
  const byPath = new Map(all.map((setting) => [setting.path, setting]))
  for (const setting of all) for (const path of setting.olderPaths) byPath.set(path, setting)
  return { all, open, byPath, byEnv: environmentNames(all) }
}

/** `server.port` → `KYROS_SERVER_PORT`. */
export function environmentName(path: string, prefix: 'KYROS' | 'ORCHESTRATOR' = 'KYROS'): string {
  return `${prefix}_${path.toUpperCase().replaceAll('.', '_')}`
}

function environmentNames(all: readonly Setting[]): Map<string, Setting> {
  const names = new Map<string, Setting>()
  for (const prefix of ['KYROS', 'ORCHESTRATOR'] as const) {
    for (const setting of all) names.set(environmentName(setting.path, prefix), setting)
  }
  for (const setting of all) {
    for (const path of setting.olderPaths) names.set(environmentName(path, 'ORCHESTRATOR'), setting)
    for (const name of setting.env) names.set(name, setting)
  }
  return names
}

function collect(
  path: string,
  node: Node,
  planned: string | undefined,
  all: Setting[],
  open: OpenSection[],
): void {
  // An empty word takes a part of a planned section out of it: that part is read today.
  const feature = node.planned === '' ? undefined : (text(node.planned) ?? planned)
  if (node.type !== 'object') {
    if (all.length < maxSettings) all.push(settingOf(path, node, feature))
    return
  }
  if (node.additionalProperties === true && feature !== undefined) open.push({ path, planned: feature })
  for (const [name, child] of Object.entries(asNode(node.properties))) {
    collect(path === '' ? name : `${path}.${name}`, asNode(child), feature, all, open)
  }
}

function settingOf(path: string, node: Node, planned: string | undefined): Setting {
  const choices = strings(node.enum)
  return {
    path,
    kind: kindOf(node, choices),
    description: text(node.description) ?? '',
    default: defaultOf(node.default),
    choices,
    env: strings(node.env),
    olderPaths: strings(node.olderPaths),
    unit: text(node.unit),
    secret: node.secret === 'url' ? 'url' : node.secret === true,
    planned,
    shared: strings(node.shared),
    minimum: number(node.minimum),
    maximum: number(node.maximum),
    minLength: number(node.minLength),
    pattern: text(node.pattern),
    format: text(node.format),
  }
}

function kindOf(node: Node, choices: readonly string[]): SettingKind {
  if (choices.length > 0) return 'choice'
  switch (node.type) {
    case 'integer':
    case 'number':
    case 'boolean':
      return node.type
    case 'array':
      return 'list'
    default:
      return 'string'
  }
}

function asNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function defaultOf(value: unknown): SettingValue {
  if (Array.isArray(value)) return strings(value)
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return undefined
}
