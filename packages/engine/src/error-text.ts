/** An error of this many characters tells enough; more of it would be kept in every event that names it. */
export const maxErrorChars = 16_384
const maxCodeChars = 200

/** What anything that was thrown is called, `Name: message` for an error. Never throws, whatever it is given. */
export function textOf(thrown: unknown): string {
  return read(() => String(thrown)) ?? unnamed(thrown)
}

/** The message of an error, the text of anything else. Never throws. */
export function messageOf(thrown: unknown): string {
  return messageIn(thrown) ?? textOf(thrown)
}

/** Name, message and stack, for whoever has to find the fault. Never throws. */
export function stackOf(thrown: unknown): string {
  return read(() => (isError(thrown) ? text(thrown.stack) : undefined)) ?? textOf(thrown)
}

/** What an error says of itself in fields. Never throws; a field of another kind is left out. */
export function fieldsOf(thrown: unknown): { code?: string; retryable?: boolean; cause?: string } {
  if (!isError(thrown)) return {}
  const code = read(() => ('code' in thrown ? text(thrown.code) : undefined), maxCodeChars)
  const cause = messageIn(attempt(() => thrown.cause))
  const retryable = attempt(() => ('retryable' in thrown ? thrown.retryable : undefined))
  return {
    ...(code === undefined ? {} : { code }),
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
    ...(cause === undefined ? {} : { cause }),
  }
}

/** `instanceof` runs code of a proxy, which may throw. */
export function isError(thrown: unknown): thrown is Error {
  return attempt(() => thrown instanceof Error) ?? false
}

function messageIn(thrown: unknown): string | undefined {
  return isError(thrown) ? read(() => text(thrown.message)) : undefined
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

function read(look: () => string | undefined, maxChars = maxErrorChars): string | undefined {
  const found = attempt(look)
  return found === undefined || found.length <= maxChars ? found : `${found.slice(0, maxChars)} (cut)`
}

/** Getters and `toString` of what was thrown are code of somebody else. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

function unnamed(thrown: unknown): string {
  const kind = thrown === null || typeof thrown !== 'object' ? typeof thrown : 'object'
  return `something that cannot be shown (a value of type ${kind})`
}
