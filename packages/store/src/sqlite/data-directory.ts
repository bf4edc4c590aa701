import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DataDirectoryError } from '../open-error.ts'
import { isFull, primaryCode, sqliteCode } from './sqlite-error.ts'

export type DataLock = { release(): void }

/** Makes the directory if need be and checks that it can be written to. @throws DataDirectoryError */
export function prepareDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw directoryError(dir, error)
  }
}

/**
 * Takes the directory for this process. The lock is an open transaction, so the kernel frees it however the
 * process ends; who holds it stands in `lock.pid` beside. @throws DataDirectoryError data_directory_locked
 */
export function lockDirectory(dir: string): DataLock {
  const pidFile = join(dir, 'lock.pid')
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(join(dir, 'lock.db'), { timeout: 0 })
    db.exec('BEGIN EXCLUSIVE')
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    db?.close()
    throw primaryCode(error) === sqliteCode.busy
      ? lockedError(dir, pidFile, error)
      : directoryError(dir, error)
  }
  return {
    release() {
      rmSync(pidFile, { force: true })
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
  if (code === 'ENOSPC' || isFull(error)) {
    const message = `There is no space left for the data directory ${dir}. Free some space and start again.`
    return new DataDirectoryError('data_directory_full', message, { cause: error })
  }
  const primary = primaryCode(error)
  if (primary === sqliteCode.corrupt || primary === sqliteCode.notADatabase) {
    const message = `The database in ${dir} is damaged. Restore a backup: kyros db restore <backup>.`
    return new DataDirectoryError('data_directory_damaged', message, { cause: error })
  }
  if (typeof code !== 'string') return error instanceof Error ? error : new Error(String(error))
  const message = `The data directory ${dir} cannot be written to. Check its owner and permissions, or choose another (--data).`
  return new DataDirectoryError('data_directory_not_writable', message, { cause: error })
}
