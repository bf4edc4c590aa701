import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { connectToWrite } from './connect.ts'
import { damagedError } from './data-directory.ts'
import { isDamaged } from './sqlite-error.ts'

/** Reading all of a larger one would hold up every start after a crash; there its damage shows where it is read. */
const maxCheckedBytes = 64 * 1024 * 1024

/**
 * Looks whether `<dir>/kyros.db` is whole, after a process that did not end by itself: a disk that lost power may have
 * lied. @throws DataDirectoryError data_directory_damaged
 */
export function checkFile(dir: string): void {
  const file = join(dir, 'kyros.db')
  if (!existsSync(file) || statSync(file).size > maxCheckedBytes) return
  const db = connectToWrite(file)
  try {
    const [first] = db.prepare('PRAGMA quick_check(1)').all()
    if (first?.quick_check !== 'ok') throw damagedError(dir, new Error(String(first?.quick_check)))
  } catch (error) {
    throw isDamaged(error) ? damagedError(dir, error) : error
  } finally {
    db.close()
  }
}
