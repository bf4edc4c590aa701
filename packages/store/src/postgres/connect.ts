import { Client, type ClientConfig, Pool, type PoolConfig, types } from 'pg'

const connectTimeoutMs = 5_000
const statementTimeoutMs = 30_000
const int8 = 20

/** What every connection shares. A wait has an end on both sides: the server's first, then ours. */
function settings(databaseUrl: string): ClientConfig {
  return {
    connectionString: databaseUrl,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 5_000,
    keepAlive: true,
    application_name: 'kyros',
    // Our numbers stay far below 2^53; pg would hand them out as text.
    types: { getTypeParser: (oid, format) => (oid === int8 ? Number : types.getTypeParser(oid, format)) },
  }
}

/** `onLost` is called when a connection that was made breaks or is closed; perhaps more than once. */
export async function connect(
  databaseUrl: string,
  onLost: (client: Client, error: unknown) => void,
  extra: Partial<ClientConfig> = {},
): Promise<Client> {
  const client = new Client({ ...settings(databaseUrl), ...extra })
  let isConnected = false
  const lost = (error: unknown) => {
    if (isConnected) onLost(client, error)
  }
  client.on('error', lost)
  client.on('end', () => lost(new Error('The connection was closed')))
  try {
    await client.connect()
    isConnected = true
  } catch (error) {
    // A half-open connection must not keep the process alive.
    client.end().catch(() => {})
    throw error
  }
  return client
}

export function createPool(databaseUrl: string, extra: PoolConfig, onLost: (error: unknown) => void): Pool {
  const pool = new Pool({ ...settings(databaseUrl), ...extra })
  // Without listeners a connection that breaks would end the process: the pool hears only of idle ones.
  pool.on('error', onLost)
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
