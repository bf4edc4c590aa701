import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DataDirectoryError } from '../open-error.ts'
import { isDamaged, isFull, primaryCode, sqliteCode } from './sqlite-error.ts'
import { syncDirectoryNow } from './sync-directory.ts'

// SQLite's shared memory alone takes 32 KiB.
const minFreeBytes = 64 * 1024

export type DataLock = {
  /** Whether the process before did not give it back: it was killed, or the machine went down. */
  readonly wasLeft: boolean
  /** `asLeft`: the next process finds it as this one did, and looks again. */
  release(asLeft?: boolean): void
}

/** Makes the directory if need be and checks that it can be written to. @throws DataDirectoryError */
export function prepareDirectory(dir: string): void {
  try {
    makeDirectory(resolve(dir))
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw directoryError(dir, error)
  }
}

/** Step by step, because Node's own `recursive` never ends where a directory refuses entries, as in /proc. */
function makeDirectory(dir: string): void {
  const missing: string[] = []
  for (let at = dir; !existsSync(at); at = dirname(at)) missing.push(at)
  for (const path of missing.reverse()) makeOne(path)
  // SQLite syncs what is in the directory; a loss of power must not take the directory itself.
  for (const path of missing) syncDirectoryNow(dirname(path))
  // The dot is only there when it is a directory.
  accessSync(`${dir}${sep}.`, constants.F_OK)
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was faster.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/**
 * Takes the directory for this process. The lock is an open transaction, so the kernel frees it however the
 * process ends; who holds it stands in `lock.pid` beside. @throws DataDirectoryError data_directory_locked
 */
export function lockDirectory(dir: string): DataLock {
  const pidFile = join(dir, 'lock.pid')
  let db: DatabaseSync | undefined
  let wasLeft = false
  try {
    db = new DatabaseSync(join(dir, 'lock.db'), { timeout: 0 })
    db.exec('BEGIN EXCLUSIVE')
    wasLeft = existsSync(pidFile)
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    db?.close()
    throw primaryCode(error) === sqliteCode.busy
      ? lockedError(dir, pidFile, error)
      : directoryError(dir, error)
  }
  return {
    wasLeft,
    release(asLeft = false) {
      if (!asLeft) rmSync(pidFile, { force: true })
      db.close()
    },
  }
}

function lockedError(dir: string, pidFile: string, cause: unknown): DataDirectoryError {
  const holderPid = readPid(pidFile)
  const holder = holderPid === undefined ? 'Another process' : `Process ${holderPid}`
  const message = `${holder} uses the data directory ${dir}. Stop it first, or start with another directory (--data).`
  return new DataDirectoryError('data_directory_locked', message, { cause, ...(holderPid && { holderPid }) })
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
    return Number.isNaN(pid) ? undefined : pid
  } catch {
    return undefined
  }
}

/** Says what is wrong with the directory in words that help. */
export function directoryError(dir: string, error: unknown): Error {
  if (error instanceof DataDirectoryError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || isFull(error) || hasNoRoom(dir)) {
    const message = `There is no space left for the data directory ${dir}. Free some space and start again.`
    return new DataDirectoryError('data_directory_full', message, { cause: error })
  }
  if (isDamaged(error)) {
    return damagedError(dir, error)
  }
  if (typeof code !== 'string') return error instanceof Error ? error : new Error(String(error))
  const message = `The data directory ${dir} cannot be written to. Check its owner and permissions, or choose another (--data).`
  return new DataDirectoryError('data_directory_not_writable', message, { cause: error })
}

export function damagedError(dir: string, cause: unknown): DataDirectoryError {
  const message = `The database in ${dir} is damaged. Restore a backup: \`kyros db restore <backup>\`.`
  return new DataDirectoryError('data_directory_damaged', message, { cause })
}

/** Whether there is less room than a database needs to open; a writer that could not even start says only that it ended. */
function hasNoRoom(dir: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dir)
    return bavail * bsize < minFreeBytes
  } catch {
    return false
  }
}
