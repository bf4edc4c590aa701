import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../open-store.ts'
import type { Store } from '../store.ts'
import { readLog, startMs, submission, submit } from '../suite/rig.ts'
import { startWriting } from '../suite/start-process.ts'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kyros-durability-'))
})
afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true })
})

test('after kill -9 everything acknowledged is there, and the log has no gap', async () => {
  for (const count of [50, 400]) {
    const writing = await startWriting(dataDir)
    await writing.until(count)
    writing.child.kill('SIGKILL')
    await writing.ended
    const store = await openStore({ dataDir })
    const seqs = (await readLog(store)).map((event) => event.seq)
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
    expect(writing.acknowledged.filter((seq) => seq > seqs.length)).toEqual([])
    await store.close()
  }
})

test('a data directory is used by one process at a time', async () => {
  const store = await openStore({ dataDir })
  const locked = { name: 'DataDirectoryError', code: 'data_directory_locked', holderPid: process.pid }
  await expect(openStore({ dataDir })).rejects.toMatchObject(locked)
  await store.close()

  const writing = await startWriting(dataDir)
  const refused = await openStore({ dataDir }).catch((error: unknown) => error)
  expect(refused).toMatchObject({ ...locked, holderPid: writing.child.pid })
  expect(String(refused)).toContain(`Process ${writing.child.pid} uses the data directory`)
  writing.child.kill('SIGKILL')
  await writing.ended
  // The kernel has freed the lock; nobody has to remove a file.
  const next = await openStore({ dataDir })
  await next.close()
})

test('what waits in the queue is written before the store closes', async () => {
  const store = await openStore({ dataDir })
  const writes = Array.from({ length: 3_000 }, () => store.write(submission()))
  await store.close()
  expect(await Promise.all(writes)).toHaveLength(3_000)
  const again = await openStore({ dataDir })
  expect((await again.jobs.list({ limit: 1 })).total).toBe(3_000)
  await again.close()
})

test('more than can wait is refused at once and told to come back', async () => {
  const store = await openStore({ dataDir })
  const writes = Array.from({ length: 20_100 }, () => submit(store))
  const outcomes = await Promise.allSettled(writes)
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  expect(refused).toHaveLength(100)
  expect(refused[0]).toMatchObject({ code: 'store_unavailable', retryAfterSeconds: 1 })
  await store.close()
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0

test.runIf(canMount)(
  'a full disk refuses what does not fit, keeps what was acknowledged and works again',
  async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', dataDir])
    try {
      const store = await openStore({ dataDir })
      const kept = await fillUp(store)
      await expect(store.blobs.put(new Uint8Array(8_000_000))).rejects.toMatchObject({ code: 'storage_full' })
      expect((await store.jobs.list({ limit: 1 })).total).toBe(kept)
      execFileSync('mount', ['-o', 'remount,size=30m', dataDir])
      await submit(store)
      await store.close()
      const again = await openStore({ dataDir })
      expect((await again.jobs.list({ limit: 1 })).total).toBe(kept + 1)
      const seqs = (await readLog(again)).map((event) => event.seq)
      expect(seqs).toEqual(seqs.map((_, index) => index + 1))
      await again.close()
    } finally {
      execFileSync('umount', [dataDir])
    }
  },
)

/** Submits until the disk is full; returns how many were acknowledged. */
async function fillUp(store: Store): Promise<number> {
  const big = 'x'.repeat(50_000)
  let kept = 0
  for (let attempt = 0; attempt < 500; attempt++) {
    const written = await submit(store, { task: big, createdMs: startMs + attempt }).catch(
      (error: unknown) => error,
    )
    if (!(written instanceof Error)) {
      kept++
      continue
    }
    expect(written).toMatchObject({ code: 'storage_full' })
    // Still full a moment later, and still an answer.
    await expect(submit(store, { task: big })).rejects.toMatchObject({ code: 'storage_full' })
    return kept
  }
  throw new Error('The disk never filled up')
}

test.runIf(canMount)('a disk without any room says so at start', async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', dataDir])
  try {
    await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'data_directory_full' })
  } finally {
    execFileSync('umount', [dataDir])
  }
})

test('a database that is damaged after a kill is refused with what to do, each time until it is restored', async () => {
  const writing = await startWriting(dataDir)
  await writing.until(400)
  writing.child.kill('SIGKILL')
  await writing.ended
  // The log's pages go into the file, of which half is then gone.
  const file = join(dataDir, 'kyros.db')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
  truncateSync(file, Math.floor(statSync(file).size / 2))
  for (let start = 0; start < 2; start++) {
    const refused = await openStore({ dataDir }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'DataDirectoryError', code: 'data_directory_damaged' })
    expect(String(refused)).toContain('kyros db restore')
  }
})
