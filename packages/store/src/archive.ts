import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { createBlobFiles } from './sqlite/blob-files.ts'
import { syncDirectory } from './sqlite/sync-directory.ts'
import type { Page, Store } from './store.ts'

type Source = Pick<Store, 'jobs' | 'runs' | 'events' | 'logs' | 'artifacts'>

const pageSize = 200
const linesAtOnce = 1_000

/**
 * Writes jobs with all that belongs to them into `<dir>/jobs-<time>-<id>.ndjson.gz`: one JSON object in each line, named
 * by what it is. The blobs that they name go into `<dir>/blobs`. On disk when this resolves; returns the path.
 */
export async function archiveJobs(
  store: Source,
  blobs: Store['blobs'],
  jobIds: readonly string[],
  dir: string,
  nowMs: number,
): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]/g, '').replace('.', '')
  const path = join(dir, `jobs-${stamp}-${randomUUID().slice(0, 8)}.ndjson.gz`)
  const partial = `${path}.partial`
  const kept = createBlobFiles(join(dir, 'blobs'))
  try {
    const lines = Readable.from(linesOf(store, jobIds, (sha256) => copyBlob(blobs, kept, sha256)))
    await pipeline(lines, createGzip(), createWriteStream(partial, { mode: 0o600, flush: true }))
    await rename(partial, path)
    await syncDirectory(dir)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  return path
}

async function* linesOf(
  store: Source,
  jobIds: readonly string[],
  keepBlob: (sha256: string) => Promise<void>,
): AsyncGenerator<string> {
  for (const jobId of jobIds) {
    const job = await store.jobs.get(jobId)
    if (job === undefined) continue
    yield line({ job })
    yield* linesOfRuns(store, jobId, keepBlob)
    yield* linesOfEvents(store, jobId, keepBlob)
  }
}

/** A job may have been tried again any number of times. */
async function* linesOfRuns(
  store: Source,
  jobId: string,
  keepBlob: (sha256: string) => Promise<void>,
): AsyncGenerator<string> {
  const runs = allPages((page) => store.runs.list({ job_id: jobId, ...page }))
  for await (const run of runs) yield* linesOfRun(store, run.id, keepBlob)
}

/** Everything of a list, read a page at a time. */
async function* allPages<T>(
  read: (page: { limit: number; cursor?: string }) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let cursor: string | undefined
  do {
    const page = await read({ limit: pageSize, ...(cursor !== undefined && { cursor }) })
    yield* page.items
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}

async function* linesOfRun(
  store: Source,
  runId: string,
  keepBlob: (sha256: string) => Promise<void>,
): AsyncGenerator<string> {
  yield line({ run: await store.runs.get(runId) })
  for (const artifact of await store.artifacts.list(runId)) {
    await keepBlob(artifact.sha256)
    yield line({ artifact: { run_id: runId, ...artifact } })
  }
  let after = 0
  while (true) {
    const lines = await store.logs.list(runId, { after, limit: linesAtOnce })
    for (const logLine of lines) yield line({ log: { run_id: runId, ...logLine } })
    after = lines.at(-1)?.line ?? after
    if (lines.length < linesAtOnce) return
  }
}

async function* linesOfEvents(
  store: Source,
  jobId: string,
  keepBlob: (sha256: string) => Promise<void>,
): AsyncGenerator<string> {
  const events = allPages((page) => store.events.list({ job_id: jobId, ...page }))
  for await (const event of events) {
    const text = line({ event })
    for (const [, sha256] of text.matchAll(/"\$blob":"([0-9a-f]{64})"/g)) if (sha256) await keepBlob(sha256)
    yield text
  }
}

/** One that is gone already is no reason to keep everything else. */
async function copyBlob(from: Store['blobs'], to: Store['blobs'], sha256: string): Promise<void> {
  const data = await from.get(sha256)
  if (data !== undefined) await to.put(data)
}

function line(what: object): string {
  return `${JSON.stringify(what)}\n`
}
