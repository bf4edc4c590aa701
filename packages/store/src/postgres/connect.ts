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

/** `onLost` is called when the connection breaks while nothing is asked of it. */
export async function connect(
  databaseUrl: string,
  onLost: (error: unknown) => void,
  extra: Partial<ClientConfig> = {},
): Promise<Client> {
  const client = new Client({ ...settings(databaseUrl), ...extra })
  client.on('error', onLost)
  client.on('end', () => onLost(new Error('The connection was closed')))
  try {
    await client.connect()
  } catch (error) {
    // A half-open connection must not keep the process alive.
    client.end().catch(() => {})
    throw error
  }
  return client
}

export function createPool(databaseUrl: string, extra: PoolConfig, onLost: (error: unknown) => void): Pool {
  const pool = new Pool({ ...settings(databaseUrl), ...extra })
  // Without a listener a connection that breaks while idle would end the process.
  pool.on('error', onLost)
  return pool
}
