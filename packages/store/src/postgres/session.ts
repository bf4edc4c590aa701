import type { Client } from 'pg'
import { hashOf, isHash, verified } from '../blob-hash.ts'
import type { Session } from '../session.ts'
import type { Row } from '../statement.ts'
import { connect } from './connect.ts'
import { executeOn, lockSchema } from './execute.ts'
import { openError } from './postgres-error.ts'
import { asQueryValues } from './values.ts'

const rowsAtOnce = 500

export async function openPostgresSession(databaseUrl: string): Promise<Session> {
  try {
    // A backup reads whole tables: the time for one statement is not bounded here, the connection's life is.
    const client = await connect(databaseUrl, () => {}, { statement_timeout: 0, query_timeout: 0 })
    return sessionOn(client)
  } catch (error) {
    throw openError(databaseUrl, error)
  }
}

function sessionOn(client: Client): Session {
  return {
    dialect: 'postgres',
    run: (steps) => executeOn(client, steps),
    transaction: (work) => within(client, 'BEGIN', () => lockSchema(client).then(work)),
    snapshot: (work) => within(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work),
    rows: (table) => readRows(client, table, '*'),
    async insert(table, rows) {
      const columns = Object.keys(rows[0] ?? {}).join()
      const text = `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM json_populate_recordset(null::${table}, $1)`
      if (rows.length > 0) await client.query(text, asQueryValues([JSON.stringify(rows)]))
    },
    async continueNumbers(table, column) {
      await client.query(
        `SELECT setval(pg_get_serial_sequence($1, $2), GREATEST(MAX(${column}), 1)) FROM ${table}`,
        [table, column],
      )
    },
    blobs: blobsOn(client),
    // The server's own tools do that better (pg_dump, snapshots), and it is not our disk.
    copyBefore: async () => undefined,
    close: () => client.end(),
  }
}

async function within<R>(client: Client, begin: string, work: () => Promise<R>): Promise<R> {
  await client.query(begin)
  try {
    const result = await work()
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

async function* readRows(client: Client, table: string, columns: string): AsyncGenerator<readonly Row[]> {
  const cursor = `all_of_${table}`
  await client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT ${columns} FROM ${table}`)
  while (true) {
    const { rows } = await client.query(`FETCH ${rowsAtOnce} FROM ${cursor}`)
    if (rows.length > 0) yield rows
    if (rows.length < rowsAtOnce) break
  }
  await client.query(`CLOSE ${cursor}`)
}

function blobsOn(client: Client): Session['blobs'] {
  return {
    async put(data) {
      const sha256 = hashOf(data)
      const values = [sha256, data.byteLength, Buffer.from(data)]
      await client.query(
        'INSERT INTO blobs (sha256, bytes, data) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        values,
      )
      return { sha256, bytes: data.byteLength }
    },
    async get(sha256) {
      const { rows } = await client.query('SELECT data FROM blobs WHERE sha256 = $1', [sha256])
      return rows[0] && verified(sha256, rows[0].data)
    },
    async *list() {
      for await (const rows of readRows(client, 'blobs', 'sha256')) {
        for (const { sha256 } of rows) if (typeof sha256 === 'string' && isHash(sha256)) yield sha256
      }
    },
  }
}
