import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { syncDirectoryNow } from './sync-directory.ts'

/**
 * Copies the database beside itself, as it is now and on disk when this returns; returns where. Every copy gets a name
 * of its own: an older one may be the only good one, and it is not what the database holds now.
 */
export function copyBeside(db: DatabaseSync, dir: string, version: number, nowMs: number): string {
  const copy = freeName(dir, version, nowMs)
  const partial = `${copy}.partial`
  rmSync(partial, { force: true })
  db.prepare('VACUUM INTO ?').run(partial)
  chmodSync(partial, 0o600)
  sync(partial)
  renameSync(partial, copy)
  syncDirectoryNow(dir)
  return copy
}

function freeName(dir: string, version: number, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]/g, '').replace('.', '')
  for (let number = 1; ; number++) {
    const again = number === 1 ? '' : `-${number}`
    const copy = join(dir, `kyros-before-${version}-${stamp}${again}.db`)
    if (!existsSync(copy)) return copy
  }
}

/** SQLite does not sync what VACUUM INTO writes. */
function sync(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
