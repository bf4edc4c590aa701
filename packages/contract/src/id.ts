import { Type } from 'typebox'

const uuidPattern = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

export const Id = Type.String({
  pattern: uuidPattern,
  description: 'UUIDv7',
  examples: ['01932f5c-7d1e-7b6a-9c55-0d6f0f6f3a10'],
})

const uuid = new RegExp(uuidPattern)

export function isId(text: string): boolean {
  return uuid.test(text)
}

/**
 * A UUIDv7 (RFC 9562 5.7) from a time in ms since 1970 and ten bytes of randomness, both given by the caller:
 * the contract has no clock and no dice of its own.
 */
export function uuidv7(timeMs: number, random: Uint8Array): string {
  const time = Math.floor(timeMs).toString(16).padStart(12, '0')
  const at = (index: number) => random[index] ?? 0
  return `${time.slice(0, 8)}-${time.slice(8)}-${hexOf((at(0) & 0x0f) | 0x70)}${hexOf(at(1))}-${hexOf(
    (at(2) & 0x3f) | 0x80,
  )}${hexOf(at(3))}-${hexOf(at(4))}${hexOf(at(5))}${hexOf(at(6))}${hexOf(at(7))}${hexOf(at(8))}${hexOf(at(9))}`
}

// Ids are made on the hot path of every submission: looking a byte up is several times faster than formatting it.
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexOf(byte: number): string {
  return hexBytes[byte] ?? ''
}

/** When a UUIDv7 was made, in ms since 1970. */
export function idTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
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
