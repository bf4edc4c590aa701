import { closeSync, fsyncSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'

// Windows has no such thing as a directory that can be synced.
const canSync = process.platform !== 'win32'

/** The names in the directory are on disk when this resolves: a new file is not there after a power loss without it. */
export async function syncDirectory(dir: string): Promise<void> {
  if (!canSync) return
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The same, for what happens before anything is served. */
export function syncDirectoryNow(dir: string): void {
  if (!canSync) return
  const handle = openSync(dir, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
