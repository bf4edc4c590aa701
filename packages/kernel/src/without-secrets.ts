const censored = '[redacted]'
const maxDepth = 5
const maxKnownNames = 1000

const secretName =
  /^(?:(?:x_)?api_?key|(?:access|private|secret)?_?key|auth|(?:proxy_)?authorization|(?:set_)?cookie|password_hash|credentials?)$|(?:password|passwd|token|secret)$/

const known = new Map<string, boolean>()

/** Whether a field of this name holds a secret, in any spelling: `refresh_token`, `refreshToken`, `X-API-Key`. */
export function isSecretName(name: string): boolean {
  let isSecret = known.get(name)
  if (isSecret === undefined) {
    isSecret = secretName.test(snakeCase(name))
    // The names of fields are few; a caller's own names must not fill the memory.
    if (known.size < maxKnownNames) known.set(name, isSecret)
  }
  return isSecret
}

function snakeCase(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase()
}

/** The fields of a log line with every secret cut out; the same object when there is none. */
export function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  return clean(fields, 0)
}

function clean(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const name in fields) {
    const value = fields[name]
    const safe = isSecretName(name) && value !== undefined ? censored : cleanValue(value, depth + 1)
    if (safe === value) continue
    copy ??= { ...fields }
    copy[name] = safe
  }
  return copy ?? fields
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth) return '[too deep]'
  if (Array.isArray(value)) {
    const items = value.map((item) => cleanValue(item, depth + 1))
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  return isPlain(value) ? clean(value, depth) : value
}

/** Errors, dates and their kind are left to their serializers. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
