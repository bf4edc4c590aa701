import type { ConfigFault } from './config-error.ts'
import type { Setting, SettingValue } from './setting.ts'

/** Where a value came from. */
export type Origin =
  | { kind: 'default' }
  | { kind: 'file'; file: string; line: number }
  | { kind: 'env_file'; file: string; line: number; name: string }
  | { kind: 'environment'; name: string }
  | { kind: 'flag'; name: string }

export type Assigned = { setting: Setting; value: SettingValue; origin: Origin }

/** What one source says: its values, what is wrong with it, and what the user should know. */
export type SourceResult = { assigned: Assigned[]; faults: ConfigFault[]; notices: string[] }

export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default'
    case 'file':
      return `${origin.file}:${origin.line}`
    case 'env_file':
      return `${origin.file}:${origin.line} ${origin.name}`
    case 'environment':
      return `environment ${origin.name}`
    case 'flag':
      return `flag ${origin.name}`
  }
}

export function plannedNotice(path: string, where: string, feature: string): string {
  return `${path} (${where}) is accepted and does nothing yet: it belongs to ${feature}.`
}
