import type { Json } from '@kyros/contract/json'
import { roughBytes } from '../embedded/asked-values.ts'
import { maxPayloadBytes, PayloadError, toJson } from '../embedded/json-value.ts'

/**
 * `toJson` for what goes into the log of the run: the log keeps nothing larger, on both engines.
 * @throws PayloadError for what is not JSON, and above 1 MB
 */
export function toPayload(value: unknown, what: string): Json {
  const payload = toJson(value, what)
  // An escape takes six bytes: this spares most payloads a serialization that only measures them.
  if (6 * roughBytes(payload) <= maxPayloadBytes) return payload
  const bytes = new TextEncoder().encode(JSON.stringify(payload)).length
  if (bytes <= maxPayloadBytes) return payload
  const limit = `${maxPayloadBytes} bytes`
  throw new PayloadError(
    'payload_too_large',
    `${what} has ${bytes} bytes, more than ${limit}. Keep the data as an artifact and pass its name.`,
  )
}

/** The same for what a definition returns, in the words of the embedded engine. */
export function toResult(value: unknown): Json {
  try {
    return toPayload(value, 'The result of the run')
  } catch (error) {
    if (!isTooLarge(error)) throw error
    const message = 'The result is larger than 1 MB. Keep the data as an artifact and return its name.'
    throw new PayloadError('payload_too_large', message)
  }
}

/** True for a value that is JSON, and more of it than the log keeps. */
export function isTooLarge(error: unknown): error is PayloadError {
  return error instanceof PayloadError && error.code === 'payload_too_large'
}
