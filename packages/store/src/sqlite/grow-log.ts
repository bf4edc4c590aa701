import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { pagesPerCheckpoint } from './connect.ts'

const bytesPerPage = 4_096 + 24
const headerBytes = 32
const chunkBytes = 1 << 20
/** Not on a disk where that is a noticeable part of what is left. */
const minTimesFree = 20

/**
 * Makes SQLite's log as large as it will get, before anybody opens the database: a sync of what overwrites takes half
 * the time of one that makes the file grow. Zeros are no log, so SQLite begins at the front. One that holds something is
 * left alone.
 */
export function growLog(file: string): void {
  const log = `${file}-wal`
  const bytes = headerBytes + pagesPerCheckpoint * bytesPerPage
  if (existsSync(log) && statSync(log).size > 0) return
  const { bavail, bsize } = statfsSync(dirname(file))
  if (bavail * bsize < minTimesFree * bytes) return
  const handle = openSync(log, 'w', 0o600)
  try {
    const zeros = Buffer.alloc(chunkBytes)
    for (let at = 0; at < bytes; at += chunkBytes)
      writeSync(handle, zeros, 0, Math.min(chunkBytes, bytes - at), at)
    fdatasyncSync(handle)
  } catch {
    // It is only faster with it.
    ftruncateSync(handle, 0)
  } finally {
    closeSync(handle)
  }
}
