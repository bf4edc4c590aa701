import { randomFillSync } from 'node:crypto'
import { uuidv7 } from '@kyros/contract/id'

const randomBytesPerId = 10
const idsPerRefill = 256

/** Makes UUIDv7 strings; ids of one process made in later milliseconds sort later. */
export function createNewId(clock: { nowMs(): number }): () => string {
  // One call of the system's generator for many ids: it costs more than the id itself.
  const pool = new Uint8Array(randomBytesPerId * idsPerRefill)
  let offset = pool.length
  return () => {
    if (offset === pool.length) {
      randomFillSync(pool)
      offset = 0
    }
    offset += randomBytesPerId
    return uuidv7(clock.nowMs(), pool.subarray(offset - randomBytesPerId, offset))
  }
}
