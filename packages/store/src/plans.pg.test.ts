import { Client } from 'pg'
import { expect, test } from 'vitest'
import { openStore } from './open-store.ts'
import { createDatabase, dropDatabase } from './suite/postgres-database.ts'

test('each engine finds its unfinished runs and its messages by an index of its own', async () => {
  const databaseUrl = await createDatabase()
  const store = await openStore({ dataDir: ':memory:', databaseUrl, maxConnections: 2 })
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  // An empty table is sooner read as a whole.
  await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off')
  const plan = async (sql: string) =>
    (await client.query(`EXPLAIN ${sql}`)).rows.map((row) => String(row['QUERY PLAN'])).join('\n')
  for (const [engine, index] of [
    ['embedded', 'runs_unfinished'],
    ['temporal', 'runs_unfinished_temporal'],
  ] as const) {
    const page = await plan(`SELECT runs.id FROM runs
      WHERE runs.status IN ('pending', 'running', 'waiting') AND runs.definition <> '' AND runs.engine = '${engine}'
        AND runs.id > 'a' ORDER BY runs.id LIMIT 9`)
    expect(page).toMatch(new RegExp(`using ${index} on runs`))
    expect(page).not.toContain('Sort')
  }
  const messages = await plan(`SELECT id FROM inbox WHERE engine = 'temporal' AND id > 7 ORDER BY id LIMIT 9`)
  expect(messages).toContain('inbox_engine')
  expect(messages).not.toContain('Sort')
  await client.end()
  await store.close()
  await dropDatabase(databaseUrl)
})
