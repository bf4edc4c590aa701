import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Static, TObject } from 'typebox'
import type { Assigned, SourceResult } from './assigned.ts'
import { ConfigError } from './config-error.ts'
import { type Environment, readEnvFile, readEnvironment } from './env-source.ts'
import { readText } from './read-value.ts'
import { type Settings, type SettingValue, settingsOf } from './setting.ts'
import { readYaml } from './yaml-source.ts'

export type ConfigInput<S extends TObject> = {
  schema: S
  /** Where `kyros.yaml`, `config.yaml` and `.env` are looked for. */
  directory: string
  env: Environment
  /** A file named by the user; it must exist. */
  file?: string | undefined
  /** By path: what the user said on the command line, with the flag's name. */
  flags?: ReadonlyMap<string, { name: string; value: string }>
}

export type LoadedConfig<S extends TObject> = {
  config: Static<S>
  /** Every setting with its effective value and where it came from, in the schema's order. */
  settings: readonly Assigned[]
  notices: readonly string[]
}

const fileNames = ['kyros.yaml', 'config.yaml']

/**
 * The effective configuration: defaults < file < `.env` < environment < flags.
 * @throws ConfigError with every fault of every source
 */
export function loadConfig<S extends TObject>(input: ConfigInput<S>): LoadedConfig<S> {
  const settings = settingsOf(input.schema)
  const sources = [
    readConfigFile(input, settings),
    readDotEnv(input.directory, settings),
    readEnvironment(input.env, settings),
    readFlags(input.flags ?? new Map(), settings),
  ]
  const faults = sources.flatMap((source) => source.faults)
  if (faults.length > 0) throw new ConfigError(faults)
  const effective = new Map<string, Assigned>()
  for (const setting of settings.all) {
    effective.set(setting.path, { setting, value: setting.default, origin: { kind: 'default' } })
  }
  for (const assigned of sources.flatMap((source) => source.assigned)) {
    effective.set(assigned.setting.path, assigned)
  }
  const values = [...effective.values()]
  return {
    // The values were read by the leaves of this schema, so the tree they make is of its type.
    config: toTree(values) as Static<S>,
    settings: values,
    notices: sources.flatMap((source) => source.notices),
  }
}

function readConfigFile(input: ConfigInput<TObject>, settings: Settings): SourceResult {
  if (input.file !== undefined) {
    const text = readIfThere(resolve(input.directory, input.file))
    if (text !== undefined) return readYaml(input.file, text, settings)
    throw new ConfigError([
      {
        what: `There is no configuration file ${input.file}.`,
        next: 'Give --config the path of a YAML file.',
      },
    ])
  }
  for (const name of fileNames) {
    const text = readIfThere(join(input.directory, name))
    if (text !== undefined) return readYaml(name, text, settings)
  }
  return nothing()
}

function readDotEnv(directory: string, settings: Settings): SourceResult {
  const text = readIfThere(join(directory, '.env'))
  return text === undefined ? nothing() : readEnvFile('.env', text, settings)
}

function readFlags(
  flags: ReadonlyMap<string, { name: string; value: string }>,
  settings: Settings,
): SourceResult {
  const result = nothing()
  for (const [path, { name, value }] of flags) {
    const setting = settings.byPath.get(path)
    if (setting === undefined) continue
    const read = readText(setting, value)
    if (read.ok) result.assigned.push({ setting, value: read.value, origin: { kind: 'flag', name } })
    else {
      const shown = setting.secret === false ? `: "${value.slice(0, 80)}"` : ''
      result.faults.push({ what: `${name} is not right${shown}.`, next: `It must be ${read.allowed}.` })
    }
  }
  return result
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError([
      { what: `${path} cannot be read (${String(code)}).`, next: 'Mend its permissions or move it away.' },
    ])
  }
}

type Tree = { [key: string]: Tree | SettingValue }

function toTree(values: readonly Assigned[]): Tree {
  const root: Tree = {}
  for (const { setting, value } of values) {
    const names = setting.path.split('.')
    let node = root
    for (const name of names.slice(0, -1)) {
      const child = node[name]
      const next: Tree = isTree(child) ? child : {}
      node[name] = next
      node = next
    }
    const leaf = names.at(-1)
    if (leaf !== undefined && value !== undefined) node[leaf] = value
  }
  return root
}

function isTree(value: Tree | SettingValue): value is Tree {
  return typeof value === 'object' && !Array.isArray(value)
}

function nothing(): SourceResult {
  return { assigned: [], faults: [], notices: [] }
}
