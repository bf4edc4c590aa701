import { Type } from 'typebox'

const uuidPattern = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

export const Id = Type.String({ pattern: uuidPattern, description: 'UUIDv7' })

const uuid = new RegExp(uuidPattern)

export function isId(text: string): boolean {
  return uuid.test(text)
}

/**
 * A UUIDv7 (RFC 9562 5.7) from a time in ms since 1970 and ten bytes of randomness, both given by the caller:
 * the contract has no clock and no dice of its own.
 */
export function uuidv7(timeMs: number, random: Uint8Array): string {
  let hex = Math.floor(timeMs).toString(16).padStart(12, '0')
  for (const [index, byte] of random.subarray(0, 10).entries()) {
    const marked = index === 0 ? (byte & 0x0f) | 0x70 : index === 2 ? (byte & 0x3f) | 0x80 : byte
    hex += marked.toString(16).padStart(2, '0')
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

/**
 * The id of the event with number `seq`. It is derived and never stored: the log already has a unique number.
 */
export function eventId(timeMs: number, seq: number): string {
  const bytes = new Uint8Array(10)
  let rest = seq
  for (let index = 9; index > 2 && rest > 0; index--) {
    bytes[index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return uuidv7(timeMs, bytes)
}
