import type { Pool } from 'pg'
import { hashOf, isHash, verified } from '../blob-hash.ts'
import type { Store } from '../store.ts'

export function createBlobTable(pool: Pool): Store['blobs'] {
  const query = async (text: string, values: unknown[]) => (await pool.query(text, values)).rows
  return {
    async put(data) {
      const sha256 = hashOf(data)
      const bytes = data.byteLength
      const content = Buffer.from(data.buffer, data.byteOffset, bytes)
      await query('INSERT INTO blobs (sha256, bytes, data) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
        ...[sha256, bytes, content],
      ])
      return { sha256, bytes }
    },
    async get(sha256) {
      if (!isHash(sha256)) return undefined
      const [row] = await query('SELECT data FROM blobs WHERE sha256 = $1', [sha256])
      return row && verified(sha256, row.data)
    },
  }
}
