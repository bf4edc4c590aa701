import { DatabaseError } from '../open-error.ts'
import { type Refusal, storageFull, unavailable } from '../refusal.ts'

const sqlState = {
  serializationFailure: '40001',
  deadlock: '40P01',
  lockNotAvailable: '55P03',
  uniqueViolation: '23505',
  diskFull: '53100',
  wrongPassword: '28P01',
  notAuthorized: '28000',
  noSuchDatabase: '3D000',
  noPrivilege: '42501',
  noConnectionsAllowed: '55000',
  idleInTransaction: '25P03',
} as const

export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Another process was in the way: the same transaction may well succeed now. */
export function isCollision(error: unknown): boolean {
  const code = codeOf(error)
  return (
    code === sqlState.serializationFailure ||
    code === sqlState.deadlock ||
    code === sqlState.lockNotAvailable ||
    code === sqlState.uniqueViolation
  )
}

/** The connection is of no more use: it broke, or the server is stopping or not there. */
export function isDisconnected(error: unknown): boolean {
  const code = codeOf(error)
  // pg's own errors of a broken or closed connection carry no code; every answer of the server carries one.
  if (code === undefined) return error instanceof Error && !(error instanceof TypeError)
  if (code === sqlState.idleInTransaction) return true
  return code.startsWith('08') || code.startsWith('57P') || /^E[A-Z]+$/.test(code)
}

// A server that takes no connection of ours now: shutting down, full, read-only, or its database or user gone.
const outageClasses = ['53', '57', '25', '28']
const outageCodes: readonly string[] = [sqlState.noSuchDatabase, sqlState.noConnectionsAllowed]

/** The outage behind an error of the database; undefined for what is a mistake of ours. */
export function outage(error: unknown): Refusal | undefined {
  const code = codeOf(error)
  if (code === sqlState.diskFull) return storageFull(error)
  const isOut = code !== undefined && (outageClasses.includes(code.slice(0, 2)) || outageCodes.includes(code))
  if (isDisconnected(error) || isOut) {
    return unavailable('The database does not answer now. Try again in a moment.', error)
  }
  return undefined
}

/** Where a URL points to, without user and password. @throws DatabaseError database_url_invalid */
export function describeUrl(databaseUrl: string): string {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    const message =
      'DATABASE_URL is no PostgreSQL address. It looks like postgres://user:password@host:5432/database.'
    throw new DatabaseError('database_url_invalid', message)
  }
  const host = url.hostname || url.searchParams.get('host') || 'localhost'
  return `${host}:${url.port || 5432}${url.pathname}`
}

/** Says what a person at the terminal can do about a database that does not open. */
export function openError(databaseUrl: string, error: unknown): Error {
  if (error instanceof DatabaseError) return error
  const where = describeUrl(databaseUrl)
  const code = codeOf(error)
  if (code === sqlState.wrongPassword || code === sqlState.notAuthorized) {
    const message = `PostgreSQL at ${where} refuses the user or the password in DATABASE_URL.`
    return new DatabaseError('database_refused', message, { cause: error })
  }
  if (code === sqlState.noSuchDatabase) {
    const message = `PostgreSQL at ${where} has no such database. Create it (createdb), or correct DATABASE_URL.`
    return new DatabaseError('database_refused', message, { cause: error })
  }
  if (code === sqlState.noPrivilege) {
    const message = `The user in DATABASE_URL may not make tables at ${where}. Grant it CREATE on the schema.`
    return new DatabaseError('database_refused', message, { cause: error })
  }
  if (isDisconnected(error) || outage(error)) {
    const message = `PostgreSQL at ${where} does not answer. Start it, or correct DATABASE_URL; without it Kyros uses SQLite.`
    return new DatabaseError('database_unreachable', message, { cause: error })
  }
  return error instanceof Error ? error : new Error(String(error))
}
