import type { Attributes } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'

// A timer further away than this is a mistake in the unit.
export const longestTimerMs = 100 * 365 * 24 * 3_600_000

/** Milliseconds from `nowMs` on, whole and not negative. @throws RangeError for what is no time, or too far away */
export function timerMs(until: number | Date | string, nowMs: number): number {
  const durationMs = typeof until === 'number' ? until : momentMs(until) - nowMs
  if (!Number.isFinite(durationMs) || durationMs > longestTimerMs) {
    throw new RangeError(
      `A timer of ${durationMs} ms cannot be set: give milliseconds up to 100 years, or a time.`,
    )
  }
  return Math.max(0, Math.ceil(durationMs))
}

function momentMs(moment: Date | string): number {
  return typeof moment === 'string' ? Date.parse(moment) : moment.getTime()
}

const longestChildSeconds = longestTimerMs / 1000

/** Whole seconds above 0. @throws RangeError */
export function childSeconds(seconds: number): number {
  if (seconds > 0 && seconds <= longestChildSeconds) return Math.ceil(seconds)
  throw new RangeError(`A child cannot have ${seconds} seconds: give seconds above 0, up to 100 years.`)
}

const maxAttributes = 32
const maxNameLength = 64
const maxTextLength = 256

/** A copy of what a definition calls its attributes. @throws TypeError or RangeError for what is none */
export function checkAttributes(values: object): Attributes {
  const attributes: Attributes = {}
  const entries: [string, unknown][] = Object.entries(values)
  if (entries.length > maxAttributes) throw new RangeError(`More than ${maxAttributes} attributes at once.`)
  for (const [name, value] of entries) {
    if (value === undefined) continue
    if (name.length > maxNameLength || name === '__proto__')
      throw new RangeError(`The attribute name ${name} is too long.`)
    if (typeof value === 'string' && value.length > maxTextLength)
      throw new RangeError(`The attribute ${name} is longer than ${maxTextLength} characters.`)
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new TypeError(`The attribute ${name} is ${value}.`)
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new TypeError(`The attribute ${name} is no text, number or boolean.`)
    attributes[name] = value
  }
  return attributes
}

/** About how many bytes a value has as JSON: the same on every replay, and cheap. */
export function roughBytes(value: Json): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 2
  if (Array.isArray(value)) for (const item of value) bytes += roughBytes(item) + 1
  else for (const key in value) bytes += key.length + 4 + roughBytes(value[key] ?? null)
  return bytes
}
