export type DataDirectoryFault =
  | 'data_directory_locked'
  | 'data_directory_not_writable'
  | 'data_directory_newer_version'
  | 'data_directory_full'
  | 'data_directory_damaged'

/** The data directory cannot be used. The message is for the person at the terminal and says what to do. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError'
  readonly code: DataDirectoryFault
  /** The process that holds the lock, if it wrote down who it is. */
  readonly holderPid: number | undefined

  constructor(
    code: DataDirectoryFault,
    message: string,
    options: { cause?: unknown; holderPid?: number } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.holderPid = options.holderPid
  }
}

export type DatabaseFault =
  | 'database_url_invalid'
  | 'database_unreachable'
  | 'database_refused'
  | 'database_newer_version'
  | 'database_protected'
  | 'database_in_use'

/** PostgreSQL cannot be used. The message names host, port and database, and never the password. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseFault

  constructor(code: DatabaseFault, message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
  }
}
