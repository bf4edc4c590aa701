import type { Json } from '@kyros/contract/json'

const maxDepth = 200
/** The largest value that goes into the log of a run, as JSON. */
export const maxPayloadBytes = 1024 * 1024

/** A value that is not JSON, with the path to the fault; the same on both engines. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError'
  readonly code: 'payload_not_json' | 'payload_too_large'

  constructor(code: 'payload_not_json' | 'payload_too_large', message: string) {
    super(message)
    this.code = code
  }
}

/**
 * A copy of `value` as it comes back from the log: own fields that are undefined are left out, `undefined` itself is
 * null. @throws PayloadError for Date, Map, BigInt, functions, class instances, NaN, holes and undefined in arrays.
 */
export function toJson(value: unknown, what: string): Json {
  return value === undefined ? null : copy(value, what, 0)
}

function copy(value: unknown, path: string, depth: number): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw notJson(path, `is ${value}`)
    return value === 0 ? 0 : value
  }
  if (depth > maxDepth) throw notJson(path, 'is nested too deeply or contains itself')
  if (Array.isArray(value))
    return Array.from(value, (item, index) => copy(item, `${path}[${index}]`, depth + 1))
  if (typeof value !== 'object')
    throw notJson(path, `is ${typeof value === 'undefined' ? '' : 'a '}${typeof value}`)
  if (!isPlain(value)) throw notJson(path, `is a ${value.constructor?.name ?? 'class instance'}`)
  const result: { [key: string]: Json } = {}
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) define(result, key, copy(field, `${path}.${key}`, depth + 1))
  }
  return result
}

/** `__proto__` must become a field like any other, as JSON.parse does it. */
function define(target: { [key: string]: Json }, key: string, value: Json): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Also objects of another realm count as plain. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function notJson(path: string, is: string): PayloadError {
  return new PayloadError('payload_not_json', `${path} ${is}, which is not JSON. Return plain data instead.`)
}
