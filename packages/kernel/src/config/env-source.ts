import { parseEnv } from 'node:util'
import { type Origin, plannedNotice, type SourceResult } from './assigned.ts'
import { didYouMean } from './did-you-mean.ts'
import { readText } from './read-value.ts'
import { environmentName, type Setting, type Settings } from './setting.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Read by tools of the repository or set by Kyros for its own children: not settings, and not mistakes. */
const otherNames = new Set(['KYROS_TEST_DATABASE_URL', 'KYROS_SUPERVISED', 'KYROS_CHROMIUM'])

/**
 * Reads a set of environment variables. Unknown `KYROS_` names are told, not refused: an environment belongs to
 * many programs.
 */
export function readEnvironment(env: Environment, settings: Settings): SourceResult {
  return read(env, settings, (name) => ({ kind: 'environment', name }))
}

/** Reads the text of a `.env` file; an unknown `KYROS_` name in it is a fault, because the file is ours to read. */
export function readEnvFile(file: string, text: string, settings: Settings): SourceResult {
  const result = read(parseEnv(text), settings, (name) => {
    return { kind: 'env_file', file, line: lineOf(name, text), name }
  })
  const faults = result.notices
    .filter((notice) => notice.startsWith(unknownPrefix))
    .map((what) => ({ what, next: 'Mend or remove the line; docs/configuration.md lists every name.' }))
  const notices = result.notices.filter((notice) => !notice.startsWith(unknownPrefix))
  return { assigned: result.assigned, faults: [...result.faults, ...faults], notices }
}

const unknownPrefix = 'There is no setting '

function read(env: Environment, settings: Settings, originOf: (name: string) => Origin): SourceResult {
  const result: SourceResult = { assigned: [], faults: [], notices: [] }
  const taken = new Set<Setting>()
  // The map's order decides between two names of one setting: KYROS_ before the others.
  for (const [name, setting] of settings.byEnv) {
    const raw = env[name]
    // A variable that is set to nothing means: not set. Compose files and CI write them that way.
    if (raw === undefined || raw.trim() === '' || taken.has(setting)) continue
    taken.add(setting)
    assign(name, raw, setting, originOf(name), result)
  }
  for (const name of Object.keys(env)) {
    if (!settings.byEnv.has(name) && env[name] !== '') tellUnknown(name, settings, originOf(name), result)
  }
  return result
}

function assign(name: string, raw: string, setting: Setting, origin: Origin, result: SourceResult): void {
  const value = readText(setting, raw)
  const place = where(origin)
  if (value.ok) {
    result.assigned.push({ setting, value: value.value, origin })
    if (setting.planned !== undefined) result.notices.push(plannedNotice(name, place, setting.planned))
  } else if (setting.shared.includes(name)) {
    result.notices.push(`${name} (${place}) is not ${value.allowed}; Kyros leaves it to other programs.`)
  } else {
    const shown = setting.secret === false ? `: "${raw.slice(0, 80)}"` : ''
    result.faults.push({
      what: `${place}: ${name} is not right${shown}.`,
      next: `It must be ${value.allowed}.`,
    })
  }
}

function tellUnknown(name: string, settings: Settings, origin: Origin, result: SourceResult): void {
  const isOurs = name.startsWith('KYROS_') || name.startsWith('ORCHESTRATOR_')
  if (!isOurs || otherNames.has(name)) return
  for (const section of settings.open) {
    for (const prefix of ['KYROS', 'ORCHESTRATOR'] as const) {
      if (name.startsWith(`${environmentName(section.path, prefix)}_`)) {
        result.notices.push(plannedNotice(name, where(origin), section.planned))
        return
      }
    }
  }
  // Kubernetes sets ORCHESTRATOR_SERVICE_HOST and the like for every service it knows.
  if (name.startsWith('ORCHESTRATOR_')) return
  const near = didYouMean(name, settings.byEnv.keys())
  const meant = near === undefined ? '' : ` Did you mean ${near}?`
  result.notices.push(`${unknownPrefix}${name} (${where(origin)}).${meant}`)
}

function where(origin: Origin): string {
  return origin.kind === 'env_file' ? `${origin.file}:${origin.line}` : 'environment'
}

function lineOf(name: string, text: string): number {
  const pattern = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`)
  return text.split('\n').findLastIndex((line) => pattern.test(line)) + 1
}
