import type { Setting, SettingValue } from './setting.ts'

const hidden = '********'

/** The value as it may be shown: secrets hidden, of addresses only the password. */
export function redacted(setting: Setting, value: SettingValue): SettingValue {
  if (value === undefined || value === '') return value
  if (setting.secret === 'url') return withoutPassword(String(value))
  return setting.secret ? hidden : value
}

/** Hides the password of an address; text that is no address stays as it is. */
export function withoutPassword(address: string): string {
  // Up to the last @ before the path: passwords hold unescaped @ more often than paths do.
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/]*@/i, `$1:${hidden}@`)
}
