import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../open-store.ts'
import type { Store } from '../store.ts'
import { createDatabase, dropDatabase } from '../suite/postgres-database.ts'
import {
  append,
  collect,
  completed,
  expectProblem,
  readLog,
  started,
  startMs,
  submission,
  submit,
} from '../suite/rig.ts'
import { startWriting } from '../suite/start-process.ts'

let databaseUrl: string
let stores: Store[]
const logged: string[] = []

async function open(): Promise<Store> {
  const log = (_level: string, message: string) => void logged.push(message)
  const store = await openStore({ dataDir: ':memory:', databaseUrl, maxConnections: 4, log })
  stores.push(store)
  return store
}

beforeEach(async () => {
  databaseUrl = await createDatabase()
  stores = []
  logged.length = 0
})
afterEach(async () => {
  for (const store of stores) await store.close()
  await dropDatabase(databaseUrl)
})

async function asAdmin(sql: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(sql)
  await client.end()
}

/** Cuts every connection to this database but the one that asks. */
function cutConnections(): Promise<void> {
  return asAdmin(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  )
}

test('two processes see each other’s events in order, without a gap', async () => {
  const store = await open()
  const count = 600
  const following = collect(store, { after: 0 }, 3 * count)
  const writing = await Promise.all([
    startWriting(':memory:', databaseUrl, String(count), 'first'),
    startWriting(':memory:', databaseUrl, String(count), 'second'),
  ])
  const emit = () =>
    store.write({ kind: 'append_event', event: { type: 'own', subject: 'here', timeMs: startMs, data: {} } })
  await Promise.all(Array.from({ length: count }, emit))
  await Promise.all(writing.map((process) => process.ended))
  const events = await following
  expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 3 * count }, (_, index) => index + 1))
  for (const [index, type] of ['first', 'second'].entries()) {
    const seen = events.filter((event) => event.type === type).map((event) => event.seq)
    expect(seen).toEqual(writing[index]?.acknowledged.toSorted((a, b) => a - b))
  }
})

test('two stores append to one run without losing a fact, and count it right', async () => {
  const [one, two] = await Promise.all([open(), open()])
  const { run } = await submit(one)
  const both = [one, two, one, two, one, two]
  await Promise.all(both.map((store) => append(store, run.id, started)))
  await append(two, run.id, completed('done'))
  const events = await one.events.ofRun(run.id)
  expect(events.map((event) => event.run_seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(await one.runs.get(run.id)).toMatchObject({ status: 'completed', run_seq: 8, result: 'done' })
  await Promise.all(Array.from({ length: 40 }, (_, index) => submit(index % 2 === 0 ? one : two)))
  expect((await two.stats(startMs)).jobs).toEqual({ pending: 40, completed: 1 })
})

test('of two processes that send one key one does the work and the other gets its answer', async () => {
  const [one, two] = await Promise.all([open(), open()])
  for (let round = 0; round < 5; round++) {
    const key = {
      ...{ principal: 'user:ada', route: 'r', key: `k${round}`, fingerprint: 'f', status: 201 },
      ...{ response: round, createdMs: startMs },
    }
    const answers = await Promise.all([
      one.write(submission({}, key)),
      two.write(submission({}, key)),
      submit(one),
      submit(two),
    ])
    const replayed = answers.slice(0, 2).filter((answer) => 'replayed' in answer)
    expect(replayed).toEqual([{ replayed: { status: 201, response: round } }])
  }
  expect((await one.jobs.list({})).total).toBe(15)
})

test('a revocation in one process is seen in another', async () => {
  const [one, two] = await Promise.all([open(), open()])
  expect(await two.sessions.revocationEpoch()).toBe(0)
  const user = { id: 'u', email: 'a@example.org', passwordHash: 'h', role: 'admin', createdMs: 0 } as const
  await one.write({ kind: 'create_user', user, actor: 'setup' })
  const session = { id: 's', userId: 'u', client: '', address: '', createdMs: 0, expiresMs: 9 }
  await one.write({ kind: 'create_session', session, token: { id: 't', hash: 'h', expiresMs: 9 }, timeMs: 0 })
  await one.write({ kind: 'revoke_session', sessionId: 's', actor: 'u', timeMs: 1 })
  await expect.poll(() => two.sessions.revocationEpoch(), { timeout: 3_000 }).toBe(1)
})

test('after its connections are cut a store goes on, and a follower misses nothing', async () => {
  const store = await open()
  await submit(store)
  const following = collect(store, { after: 0 }, 6)
  await cutConnections()
  await submit(store)
  await delay(300)
  await cutConnections()
  await expect
    .poll(
      () =>
        submit(store).then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(true)
  expect((await following).map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6])
  expect(logged.join()).not.toContain('postgres:postgres')
})

test('writes while connections are being cut are stored once or refused, and never hang', async () => {
  const store = await open()
  let stored = 0
  const writers = Array.from({ length: 8 }, async () => {
    for (let index = 0; index < 40; index++) {
      await submit(store).then(
        () => stored++,
        (error: unknown) => expect(error).toMatchObject({ code: 'store_unavailable' }),
      )
    }
  })
  const cutting = (async () => {
    for (let index = 0; index < 4; index++) {
      await delay(60)
      await cutConnections()
    }
  })()
  await Promise.all([...writers, cutting])
  const seqs = (await readLog(store)).map((event) => event.seq)
  expect(seqs).toEqual(seqs.map((_, index) => index + 1))
  // What was refused because nobody knew may be stored; what was acknowledged is.
  expect(seqs.length / 2).toBeGreaterThanOrEqual(stored)
})

test('a database that is gone refuses reads and writes in words, within seconds', async () => {
  const store = await open()
  const name = new URL(databaseUrl).pathname.slice(1)
  await asSuperuser(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
  await asSuperuser(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
  await expectProblem(submit(store), 'store_unavailable')
  await expectProblem(store.jobs.list({}), 'store_unavailable')
  await expectProblem(store.ping(500), 'store_unavailable')
  await asSuperuser(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
  await expect
    .poll(
      () =>
        submit(store).then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(true)
  await store.ping(1_000)
})

async function asSuperuser(sql: string): Promise<void> {
  const url = new URL(databaseUrl)
  url.pathname = '/postgres'
  const client = new Client({ connectionString: url.href })
  await client.connect()
  await client.query(sql)
  await client.end()
}

test('a database that does not open is named without its password', async () => {
  const at = (change: (url: URL) => void) => {
    const url = new URL(databaseUrl)
    change(url)
    return openStore({ dataDir: ':memory:', databaseUrl: url.href }).catch((error: unknown) => error)
  }
  const closed = await at((url) => {
    url.port = '1'
    url.password = 'secret'
  })
  expect(closed).toMatchObject({ name: 'DatabaseError', code: 'database_unreachable' })
  expect(String(closed)).toMatch(/127\.0\.0\.1:1\/kyros_/)
  expect(String(closed)).not.toContain('secret')
  const wrong = await at((url) => {
    url.password = 'secret'
  })
  expect(wrong).toMatchObject({ code: 'database_refused', message: expect.stringContaining('password') })
  expect(String(wrong)).not.toContain('secret')
  const missing = await at((url) => {
    url.pathname = '/none_such'
  })
  expect(missing).toMatchObject({
    code: 'database_refused',
    message: expect.stringContaining('no such database'),
  })
  const invalid = await openStore({ dataDir: ':memory:', databaseUrl: 'mysql://x' }).catch(
    (error: unknown) => error,
  )
  expect(invalid).toMatchObject({ code: 'database_url_invalid' })
})
