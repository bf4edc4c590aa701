import { type Refusal, storageFull, unavailable } from '../refusal.ts'

export const sqliteCode = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
}

/** SQLite's primary result code of an error, if it is one of SQLite's. */
export function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}

/** SQLITE_FULL, and the I/O errors by which a file system says the same. */
export function isFull(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false
  const ioWrite = 778
  const ioShmSize = 4874
  return primaryCode(error) === sqliteCode.full || error.errcode === ioShmSize || error.errcode === ioWrite
}

/** The file is no database, or no longer a whole one. */
export function isDamaged(error: unknown): boolean {
  const primary = primaryCode(error)
  return primary === sqliteCode.corrupt || primary === sqliteCode.notADatabase
}

/** What was written parses: text that does not, where SQLite saw nothing wrong, was garbled within a row. */
const isGarbled = (error: unknown) => error instanceof SyntaxError

/** The outage behind an error of the database; undefined for what is a mistake of ours. */
export function outage(error: unknown): Refusal | undefined {
  if (isFull(error)) return storageFull(error)
  if (isDamaged(error) || isGarbled(error)) {
    return unavailable('The database is damaged. Restore a backup: `kyros db restore <backup>`.', error)
  }
  switch (primaryCode(error)) {
    case sqliteCode.busy:
    case sqliteCode.readOnly:
    case sqliteCode.ioError:
    case sqliteCode.cannotOpen:
      return unavailable('The database file cannot be used now. The log of the server says why.', error)
    default:
      return undefined
  }
}
