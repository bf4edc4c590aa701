import type { Pool } from 'pg'
import { hashOf, isHash, verified } from '../blob-hash.ts'
import type { SweptBlobs } from '../retention.ts'
import { databaseNowMs } from '../statement.ts'

export function createBlobTable(pool: Pool): SweptBlobs {
  const query = async (text: string, values: unknown[]) => (await pool.query(text, values)).rows
  return {
    async put(data) {
      const sha256 = hashOf(data)
      const bytes = data.byteLength
      const content = Buffer.from(data.buffer, data.byteOffset, bytes)
      const values = [sha256, bytes, content]
      await query(
        `INSERT INTO blobs (sha256, bytes, data, put_ms) VALUES ($1, $2, $3, ${databaseNowMs})
          ON CONFLICT (sha256) DO UPDATE SET put_ms = excluded.put_ms`,
        values,
      )
      return { sha256, bytes }
    },
    async get(sha256) {
      if (!isHash(sha256)) return undefined
      const [row] = await query('SELECT data FROM blobs WHERE sha256 = $1', [sha256])
      return row && verified(sha256, row.data)
    },
    async sweep(isKept, ageMs) {
      const old = `put_ms < ${databaseNowMs} - $1`
      const rows = await query(`SELECT sha256 FROM blobs WHERE ${old}`, [ageMs])
      const unnamed = rows.map(({ sha256 }) => sha256).filter((sha256) => !isKept(sha256))
      const gone = await query(
        `DELETE FROM blobs WHERE ${old} AND sha256 = ANY($2::text[]) RETURNING bytes`,
        [ageMs, unnamed],
      )
      return { removed: gone.length, bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
  }
}
