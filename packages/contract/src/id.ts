import { Type } from 'typebox'
import { uuidv7 } from './uuidv7.ts'

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
