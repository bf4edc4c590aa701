import { createRequire } from 'node:module'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../../tools/test-postgres.ts'
import { freePort } from '../src/kyros-process.ts'
import { startGuarded, stopGuarded } from './guarded.ts'

/** Everything is durable, and the rest is what PostgreSQL's documentation advises for one small machine. */
const postgresSettings = [
  ...['fsync=on', 'full_page_writes=on', 'synchronous_commit=on', 'autovacuum=on'],
  ...['shared_buffers=512MB', 'max_wal_size=4GB', 'checkpoint_timeout=15min'],
]

/** One PostgreSQL for everyone who needs one: the caller's, or a throw-away one from npm. */
export async function openPostgres(): Promise<{
  newDatabase(name: string): Promise<string>
  close(): Promise<void>
}> {
  const given = process.env.KYROS_TEST_DATABASE_URL
  const server = given === undefined ? await startPostgres(postgresSettings) : undefined
  const url = given ?? server?.url ?? ''
  const made: string[] = []
  const administer = async (statement: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  return {
    newDatabase: async (name) => {
      const database = `kyros_bench_${name}_${process.pid}`
      await administer(`CREATE DATABASE ${database}`)
      made.push(database)
      const address = new URL(url)
      address.pathname = `/${database}`
      return address.href
    },
    close: async () => {
      if (server !== undefined) return server.stop()
      for (const database of made) await administer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
    },
  }
}

/** What was best of 1, 2, 4, 8 and the default 24 partitions on two cores; the rest is Restate's default, fsync too. */
const restatePartitions = 4

export async function startRestate(directory: string) {
  const require = createRequire(import.meta.url)
  const platform = `@restatedev/restate-server-${process.platform}-${process.arch}`
  const binary = require.resolve(`${platform}/bin/restate-server`)
  const [ingressPort, adminPort, nodePort] = [await freePort(), await freePort(), await freePort()]
  const command = [
    binary,
    ...['--no-logo', '--base-dir', join(directory, 'restate'), '--node-name', 'bench'],
    ...['--default-num-partitions', String(restatePartitions)],
    ...['--listen-mode', 'tcp', '--bind-ip', '127.0.0.1', '--bind-port', String(nodePort)],
    ...['--log-filter', 'error'],
  ]
  const server = startGuarded(command, join(directory, 'restate.log'), {
    RESTATE_DISABLE_TELEMETRY: 'true',
    RESTATE_INGRESS__BIND_PORT: String(ingressPort),
    RESTATE_ADMIN__BIND_PORT: String(adminPort),
  })
  return {
    adminUrl: `http://127.0.0.1:${adminPort}`,
    ingressUrl: `http://127.0.0.1:${ingressPort}`,
    close: () => stopGuarded(server),
  }
}
