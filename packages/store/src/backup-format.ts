import { join } from 'node:path'

/** `manifest.json` of a backup. The other files are one NDJSON file per table, and the blobs by their hash. */
export type Manifest = {
  format: 1
  created_at: string
  schema_version: number
  /** The number of the last event in it. */
  head_seq: number
  tables: Record<string, { rows: number; sha256: string }>
  blobs: number
}

export type BackupFault =
  | 'backup_source_empty'
  | 'backup_target_exists'
  | 'backup_not_found'
  | 'backup_damaged'
  | 'backup_newer_version'
  | 'database_not_empty'

/** A backup or restore that cannot be done. The message is for the person at the terminal. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code: BackupFault

  constructor(code: BackupFault, message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
  }
}

export function manifestFile(dir: string): string {
  return join(dir, 'manifest.json')
}

export function tableFile(dir: string, table: string): string {
  return join(dir, 'tables', `${table}.ndjson`)
}
