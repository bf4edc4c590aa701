import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hashOf, isHash, verified } from '../blob-hash.ts'
import { storageFull, unavailable } from '../refusal.ts'
import type { SweptBlobs } from '../retention.ts'
import { syncDirectory } from './sync-directory.ts'

/** Blobs as files named by their own hash. Written beside, synced, and only then given their name. */
export function createBlobFiles(dir: string): SweptBlobs {
  const place = (sha256: string) => join(dir, sha256.slice(0, 2))
  const keepFolder = createFolderKeeper(dir)
  return {
    async put(data) {
      const sha256 = hashOf(data)
      const blob = { sha256, bytes: data.byteLength }
      const folder = place(sha256)
      try {
        // Its name may not be on disk yet: another call, or a process that was killed, has only just given it.
        const isThere = await touchFile(join(folder, sha256), data.byteLength)
        if (!isThere) await writeBlob(folder, sha256, data)
        await syncDirectory(folder)
        await keepFolder(folder)
      } catch (error) {
        throw explain(error)
      }
      return blob
    },
    async get(sha256) {
      if (!isHash(sha256)) return undefined
      try {
        return verified(sha256, await readFile(join(place(sha256), sha256)))
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return undefined
        throw explain(error)
      }
    },
    async sweep(isKept, ageMs) {
      const swept = { removed: 0, bytes: 0 }
      for await (const sha256 of listBlobFiles(dir)) {
        const bytes = isKept(sha256) ? undefined : await removeFile(place(sha256), sha256, Date.now() - ageMs)
        if (bytes === undefined) continue
        swept.removed++
        swept.bytes += bytes
      }
      return swept
    },
  }
}

export async function* listBlobFiles(dir: string): AsyncGenerator<string> {
  if (!existsSync(dir)) return
  for (const folder of (await readdir(dir)).toSorted()) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue
    yield* (await readdir(join(dir, folder))).filter(isHash).toSorted()
  }
}

/** Removes the file unless it was put since `beforeMs`; returns its size. */
async function removeFile(folder: string, sha256: string, beforeMs: number): Promise<number | undefined> {
  const path = join(folder, sha256)
  const aside = join(folder, `.removed-${sha256}`)
  // Under another name first: who puts the same bytes now either made it younger before, or writes it anew.
  await rename(path, aside)
  const { mtimeMs, size } = await stat(aside)
  if (mtimeMs > beforeMs) {
    await rename(aside, path)
    return undefined
  }
  await rm(aside)
  return size
}

/** For a throw-away store: gone with the process. */
export function createBlobMemory(): SweptBlobs {
  const blobs = new Map<string, { data: Uint8Array; putMs: number }>()
  return {
    async put(data) {
      const sha256 = hashOf(data)
      blobs.set(sha256, { data: Uint8Array.from(data), putMs: Date.now() })
      return { sha256, bytes: data.byteLength }
    },
    async get(sha256) {
      return blobs.get(sha256)?.data
    },
    async sweep(isKept, ageMs) {
      const swept = { removed: 0, bytes: 0 }
      for (const [sha256, { data, putMs }] of blobs) {
        if (isKept(sha256) || putMs > Date.now() - ageMs) continue
        blobs.delete(sha256)
        swept.removed++
        swept.bytes += data.byteLength
      }
      return swept
    },
  }
}

/** Puts a folder's own name on disk, once in the life of the process. There are 256 folders. */
function createFolderKeeper(dir: string): (folder: string) => Promise<void> {
  const kept = new Set<string>()
  return async (folder) => {
    if (kept.has(folder)) return
    await syncDirectory(dir)
    if (kept.size === 0) await syncDirectory(dirname(dir))
    kept.add(folder)
  }
}

async function writeBlob(folder: string, sha256: string, data: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${randomUUID()}`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(data)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(temporary, join(folder, sha256))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Whether the blob is there; if so it is as young as a new one. */
async function touchFile(path: string, bytes: number): Promise<boolean> {
  try {
    const found = await stat(path)
    if (found.size !== bytes) return false
    const nowSeconds = Date.now() / 1000
    await utimes(path, nowSeconds, nowSeconds)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

function explain(error: unknown): unknown {
  if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')) return storageFull(error)
  if (error instanceof Error && 'syscall' in error) {
    return unavailable('The directory of the blobs cannot be used. The log of the server says why.', error)
  }
  return error
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
