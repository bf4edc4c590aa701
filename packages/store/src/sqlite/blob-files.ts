import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hashOf, isHash, verified } from '../blob-hash.ts'
import { storageFull, unavailable } from '../refusal.ts'
import type { Store } from '../store.ts'
import { syncDirectory } from './sync-directory.ts'

/** Blobs as files named by their own hash. Written beside, synced, and only then given their name. */
export function createBlobFiles(dir: string): Store['blobs'] {
  const place = (sha256: string) => join(dir, sha256.slice(0, 2))
  const keepFolder = createFolderKeeper(dir)
  return {
    async put(data) {
      const sha256 = hashOf(data)
      const blob = { sha256, bytes: data.byteLength }
      const folder = place(sha256)
      try {
        // Its name may not be on disk yet: another call, or a process that was killed, has only just given it.
        const isThere = await hasFile(join(folder, sha256), data.byteLength)
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
  }
}

/** For a throw-away store: gone with the process. */
export function createBlobMemory(): Store['blobs'] {
  const blobs = new Map<string, Uint8Array>()
  return {
    async put(data) {
      const sha256 = hashOf(data)
      blobs.set(sha256, Uint8Array.from(data))
      return { sha256, bytes: data.byteLength }
    },
    async get(sha256) {
      return blobs.get(sha256)
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

async function hasFile(path: string, bytes: number): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  return found?.size === bytes
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
