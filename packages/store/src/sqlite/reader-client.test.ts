import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../open-store.ts'
import { maxCounted } from '../reads/count.ts'
import { startMs, submit } from '../suite/rig.ts'
import { ReaderThread } from './reader-client.ts'
import { upgradeFile } from './upgrade-file.ts'

const refused = { code: 'store_unavailable' }
const endless =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n WHERE i < 0'

let dir: string
let reader: ReaderThread | undefined

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kyros-reader-'))
})
afterEach(async () => {
  await reader?.close()
  rmSync(dir, { recursive: true })
})

function openReader(timeoutMs?: number): ReaderThread {
  upgradeFile(dir)
  reader = new ReaderThread(join(dir, 'kyros.db'), timeoutMs)
  return reader
}

test('a query that fails fails alone', async () => {
  const thread = openReader()
  const [failed, read] = await Promise.allSettled([
    thread.query('SELECT 1 FROM nowhere', []),
    thread.query('SELECT ? AS given, fold(?) AS folded', [7, 'GRÜN']),
  ])
  expect(failed).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringContaining('nowhere') },
  })
  expect(read).toMatchObject({ value: [{ given: 7, folded: 'grün' }] })
})

test('a scan that takes too long is ended with those behind it, and the next one is answered', async () => {
  const thread = openReader(1500)
  const outcomes = await Promise.allSettled([thread.query(endless, []), thread.query('SELECT 1', [])])
  expect(outcomes).toMatchObject([{ reason: refused }, { reason: refused }])
  expect(await thread.query('SELECT 2 AS two', [])).toEqual([{ two: 2 }])
})

test('more searches than the thread could ever answer in time are refused at once', async () => {
  const thread = openReader(60_000)
  const outcomes = Promise.allSettled(Array.from({ length: 100 }, () => thread.query(endless, [])))
  await expect(thread.query('SELECT 1', [])).rejects.toMatchObject(refused)
  await thread.close()
  expect(new Set((await outcomes).map(({ status }) => status))).toEqual(new Set(['rejected']))
  await expect(thread.query('SELECT 1', [])).rejects.toMatchObject(refused)
})

test('a file that cannot be read is said', async () => {
  reader = new ReaderThread('/nowhere/kyros.db')
  await expect(reader.query('SELECT 1', [])).rejects.toMatchObject(refused)
})

test('searches and figures of a large table are those of a small one', async () => {
  const store = await openStore({ dataDir: dir })
  await Promise.all(
    Array.from({ length: maxCounted }, (_, index) => submit(store, { title: `Job ${index}` })),
  )
  await submit(store, { title: 'Über den Berg' })
  await submit(store, { title: 'Count over the hill' })
  const found = await store.jobs.list({ limit: 10, q: 'über' })
  expect(found.items.map(({ title }) => title)).toEqual(['Über den Berg'])
  expect(found.total).toBeUndefined()
  expect((await store.jobs.list({ limit: 3, status: 'pending' })).items).toHaveLength(3)
  expect((await store.runs.list({ limit: 10, q: 'HILL' })).items).toHaveLength(1)
  expect((await store.events.list({ limit: 5, type: 'job.created' })).items).toHaveLength(5)
  expect((await store.events.list({ limit: 5, type: 'run.failed' })).items).toEqual([])
  const { runs, last_24h } = await store.stats(startMs)
  expect([runs, last_24h.started]).toEqual([{ pending: maxCounted + 2 }, 0])
  await store.close()
}, 60_000)
