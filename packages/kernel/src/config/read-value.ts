import type { Setting, SettingValue } from './setting.ts'

export type Read = { ok: true; value: SettingValue } | { ok: false; allowed: string }

const maxTextLength = 8_192
const yes = new Set(['true', '1', 'yes', 'on'])
const no = new Set(['false', '0', 'no', 'off'])

/** Words that other systems use for a choice of ours; only read for settings that have that choice. */
const otherSpellings: ReadonlyMap<string, string> = new Map([
  ['warning', 'warn'],
  ['critical', 'fatal'],
  ['dev', 'development'],
  ['prod', 'production'],
])

/** Reads a value written as text: from the environment, a `.env` file or a flag. */
export function readText(setting: Setting, raw: string): Read {
  const text = raw.trim()
  if (text.length > maxTextLength) return { ok: false, allowed: `at most ${maxTextLength} characters` }
  switch (setting.kind) {
    case 'integer':
    case 'number':
      return text === '' ? refuse(setting) : inRange(setting, Number(text))
    case 'boolean':
      return readBoolean(setting, text)
    case 'choice':
      return readChoice(setting, text)
    case 'list':
      return { ok: true, value: splitList(text) }
    case 'string':
      return checkText(setting, text)
  }
}

/** Reads a value that already has a type: from YAML or JSON. */
export function readTyped(setting: Setting, raw: unknown): Read {
  if (typeof raw === 'string' && (setting.kind === 'boolean' || setting.kind === 'choice')) {
    return readText(setting, raw)
  }
  switch (setting.kind) {
    case 'integer':
    case 'number':
      return typeof raw === 'number' ? inRange(setting, raw) : refuse(setting)
    case 'boolean':
      return typeof raw === 'boolean' ? { ok: true, value: raw } : refuse(setting)
    case 'list':
      return readList(setting, raw)
    case 'string':
    case 'choice':
      return typeof raw === 'string' ? checkText(setting, raw) : refuse(setting)
  }
}

/** What a setting takes, in words: ends the sentence "It must be …". */
export function allowedValues(setting: Setting): string {
  switch (setting.kind) {
    case 'integer':
      return `a whole number${range(setting)}`
    case 'number':
      return `a number${range(setting)}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${setting.choices.join(', ')}`
    case 'list':
      return 'a list of texts (in the environment: separated by commas)'
    case 'string':
      return setting.format ?? 'a text'
  }
}

function readBoolean(setting: Setting, text: string): Read {
  const word = text.toLowerCase()
  if (yes.has(word)) return { ok: true, value: true }
  return no.has(word) ? { ok: true, value: false } : refuse(setting)
}

function readChoice(setting: Setting, text: string): Read {
  const word = text.toLowerCase()
  const choice = setting.choices.includes(word) ? word : otherSpellings.get(word)
  return choice !== undefined && setting.choices.includes(choice)
    ? { ok: true, value: choice }
    : refuse(setting)
}

function readList(setting: Setting, raw: unknown): Read {
  if (typeof raw === 'string') return { ok: true, value: splitList(raw) }
  if (!Array.isArray(raw)) return refuse(setting)
  const items = raw.filter((item) => typeof item === 'string')
  return items.length === raw.length ? { ok: true, value: items } : refuse(setting)
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function checkText(setting: Setting, text: string): Read {
  if (setting.minLength !== undefined && text.length < setting.minLength) return refuse(setting)
  if (setting.pattern !== undefined && !new RegExp(setting.pattern).test(text)) return refuse(setting)
  return { ok: true, value: text }
}

function inRange(setting: Setting, value: number): Read {
  const fits =
    Number.isFinite(value) &&
    (setting.kind === 'number' || Number.isSafeInteger(value)) &&
    value >= (setting.minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (setting.maximum ?? Number.POSITIVE_INFINITY)
  return fits ? { ok: true, value } : refuse(setting)
}

function range(setting: Setting): string {
  const { minimum, maximum } = setting
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (minimum !== undefined) return ` of at least ${minimum}`
  return maximum === undefined ? '' : ` of at most ${maximum}`
}

function refuse(setting: Setting): Read {
  return { ok: false, allowed: allowedValues(setting) }
}
