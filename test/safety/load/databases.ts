import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { startPostgres } from '../../../tools/test-postgres.ts'

export type Databases = {
  /** Makes an empty database; returns its URL. */
  create(): Promise<string>
  drop(url: string): Promise<void>
  /** Ends the server, if it was started for this. */
  stop(): Promise<void>
}

/** The server that KYROS_TEST_DATABASE_URL names, or one of its own. */
export async function startDatabases(): Promise<Databases> {
  const given = process.env.KYROS_TEST_DATABASE_URL
  const server = given ? { url: given, stop: async () => {} } : await startPostgres()
  const asAdmin = async (sql: string) => {
    const client = new Client({ connectionString: server.url })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  return {
    create: async () => {
      const name = `kyros_${randomUUID().replaceAll('-', '')}`
      await asAdmin(`CREATE DATABASE ${name}`)
      const url = new URL(server.url)
      url.pathname = `/${name}`
      return url.href
    },
    drop: (url) => asAdmin(`DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`),
    stop: () => server.stop(),
  }
}
