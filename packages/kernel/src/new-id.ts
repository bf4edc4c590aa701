import { randomFillSync } from 'node:crypto'
import { uuidv7 } from '@kyros/contract/uuidv7'

const randomBytesPerId = 10
const idsPerRefill = 256
const idsPerMs = 4096

/**
 * Makes UUIDv7 strings that sort in the order in which this process made them: the 12 bits behind the version count
 * the ids of one millisecond (RFC 9562 6.2, method 1), and a clock that stands still or goes back is not followed.
 */
export function createNewId(clock: { nowMs(): number }): () => string {
  // One call of the system's generator for many ids: it costs more than the id itself.
  const pool = new Uint8Array(randomBytesPerId * idsPerRefill)
  let offset = pool.length
  let lastMs = 0
  let count = 0
  return () => {
    if (offset === pool.length) {
      randomFillSync(pool)
      offset = 0
    }
    const bytes = pool.subarray(offset, offset + randomBytesPerId)
    offset += randomBytesPerId
    const nowMs = Math.floor(clock.nowMs())
    count += 1
    if (nowMs > lastMs || count === idsPerMs) {
      lastMs = Math.max(nowMs, lastMs + 1)
      count = 0
    }
    bytes[0] = count >> 8
    bytes[1] = count & 0xff
    return uuidv7(lastMs, bytes)
  }
}
