import { isObject } from './is-object.ts'

const colours: Record<string, string> = {
  fatal: '\u001b[41m',
  error: '\u001b[31m',
  warn: '\u001b[33m',
  info: '\u001b[36m',
  debug: '\u001b[90m',
  trace: '\u001b[90m',
}
const reset = '\u001b[0m'

/** One JSON log line as one line for a person. What came from outside cannot steer the terminal. */
export function prettyLine(line: string): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return `${withoutControls(line)}\n`
  }
  if (!isObject(parsed)) return `${withoutControls(line)}\n`
  const { level, time, msg, err, ...fields } = parsed
  const name = typeof level === 'string' ? level : 'info'
  const at = typeof time === 'string' ? time.slice(11, 23) : ''
  const rest = Object.entries(fields)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  const head = `${at} ${colours[name] ?? ''}${name.toUpperCase().padEnd(5)}${reset}`
  const stack = isObject(err) && typeof err.stack === 'string' ? `\n${withoutControls(err.stack, true)}` : ''
  return `${head} ${withoutControls(`${String(msg ?? '')} ${rest}`.trim())}${stack}\n`
}

/** Removes C0, C1 and DEL, which terminals take as commands (CVE-2003-0063 and its kin). */
export function withoutControls(text: string, keepNewlines = false): string {
  let clean = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    const isControl = code < 0x20 || (code >= 0x7f && code <= 0x9f)
    if (!isControl || (keepNewlines && code === 0x0a)) clean += character
    else clean += '\u00b7'
  }
  return clean
}
