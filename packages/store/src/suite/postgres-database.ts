import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    testDatabaseUrl: string
  }
}

async function asAdmin(sql: string): Promise<void> {
  const client = new Client({ connectionString: inject('testDatabaseUrl') })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** Makes an empty database on the tests' server; returns its URL. */
export async function createDatabase(): Promise<string> {
  const name = `kyros_${randomUUID().replaceAll('-', '')}`
  await asAdmin(`CREATE DATABASE ${name}`)
  const url = new URL(inject('testDatabaseUrl'))
  url.pathname = `/${name}`
  return url.href
}

export async function dropDatabase(databaseUrl: string): Promise<void> {
  await asAdmin(`DROP DATABASE ${new URL(databaseUrl).pathname.slice(1)} WITH (FORCE)`)
}
