import type { Client, Pool } from 'pg'
import { createStore } from '../create-store.ts'
import { schemaVersion } from '../migrations/migrations.ts'
import { Notices } from '../notices.ts'
import { DatabaseError } from '../open-error.ts'
import type { Database } from '../reads/database.ts'
import { unavailable } from '../refusal.ts'
import { migrateUp, readVersion } from '../schema.ts'
import type { OpenStore, Store } from '../store.ts'
import { decodeAll } from '../wire.ts'
import type { Apply } from '../write-queue.ts'
import { createBlobTable } from './blob-table.ts'
import { connect, createPool } from './connect.ts'
import { executeOn, inTransaction } from './execute.ts'
import { kyselyOnPostgres } from './kysely.ts'
import { startListener } from './listener.ts'
import { describeUrl, isDisconnected, openError, outage } from './postgres-error.ts'
import { PostgresWriter } from './writer.ts'

const defaultMaxConnections = 10
/** One writes and one listens; the others read. */
const ownConnections = 2
const idleTimeoutMs = 30_000

/** Connects, brings the schema up to date, and starts to listen for what other processes commit. */
export async function openPostgres(options: OpenStore & { databaseUrl: string }): Promise<Store> {
  const { databaseUrl } = options
  const log = options.log ?? (() => {})
  try {
    await upgrade(databaseUrl)
    return await assemble(databaseUrl, options.maxConnections ?? defaultMaxConnections, log)
  } catch (error) {
    throw openError(databaseUrl, error)
  }
}

type Log = NonNullable<OpenStore['log']>

async function assemble(databaseUrl: string, maxConnections: number, log: Log): Promise<Store> {
  const notices = new Notices()
  const reading = { max: Math.max(maxConnections - ownConnections, 1), idleTimeoutMillis: idleTimeoutMs }
  const pool = createPool(databaseUrl, reading, (error) =>
    log('warn', `A reading connection to PostgreSQL broke: ${String(error)}`),
  )
  const writer = new PostgresWriter(databaseUrl, log)
  const database = databaseOn(pool)
  const apply: Apply = (wire) => writer.apply(decodeAll(wire))
  let revoked = () => {}
  const listener = await startListener(databaseUrl, (topics) => {
    if (topics === 'all') notices.notifyAll()
    else for (const topic of topics) hear(notices, topic)
    if (topics === 'all' || topics.includes('revocations')) revoked()
  })
  const opened = createStore({
    database,
    notices,
    blobs: createBlobTable(pool),
    apply,
    maxUnderWay: 1,
    ping: (timeoutMs) => ping(pool, timeoutMs),
    tell: (topics) => tell(pool, topics),
    async close() {
      await writer.close()
      await listener.stop()
      await pool.end()
    },
  })
  revoked = opened.revoked
  return opened.store
}

function databaseOn(pool: Pool): Database {
  const explain = (error: unknown) => outage(error) ?? error
  const reads = kyselyOnPostgres(pool)
  return {
    db: reads,
    scanning: reads,
    dialect: 'postgres',
    explain,
    mayRepeat: isDisconnected,
    current: async () => {},
  }
}

async function upgrade(databaseUrl: string): Promise<void> {
  const where = describeUrl(databaseUrl)
  const client: Client = await connect(databaseUrl, () => {})
  try {
    const version = await executeOn(client, readVersion('postgres'))
    if (version > schemaVersion) {
      const message = `The database ${where} belongs to a newer Kyros (schema ${version}; this one knows ${schemaVersion}). Start that one.`
      throw new DatabaseError('database_newer_version', message)
    }
    if (version < schemaVersion) await inTransaction(client, migrateUp('postgres', Date.now()))
  } finally {
    await client.end().catch(() => {})
  }
}

/** What names a run is for those who listen to that run; the writer names groups. */
function hear(notices: Notices, topic: string): void {
  if (topic.includes('/')) notices.notify(topic)
  else notices.notifyGroup(topic)
}

/** PostgreSQL takes less than 8,000 bytes at once. */
const topicsAtOnce = 150

async function tell(pool: Pool, topics: readonly string[]): Promise<void> {
  for (let at = 0; at < topics.length; at += topicsAtOnce) {
    const payload = topics.slice(at, at + topicsAtOnce).join(' ')
    await pool.query(`SELECT pg_notify('kyros', $1)`, [payload])
  }
}

async function ping(pool: Pool, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(unavailable(`The database did not answer in ${timeoutMs} ms.`)),
      timeoutMs,
    )
  })
  const asked = pool.query('SELECT 1')
  asked.catch(() => {})
  try {
    await Promise.race([asked, late])
  } catch (error) {
    throw outage(error) ?? error
  } finally {
    clearTimeout(timer)
  }
}
