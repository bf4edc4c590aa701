import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StepError } from '@kyros/workflows/step-error'
import type { FileRole } from './file-role.ts'
import type { Syntax } from './languages.ts'

/** One file of a snapshot. */
export type SnapshotFile = {
  readonly index: number
  /** For people and reports. */
  readonly path: string
  /** Base64 of the real name, only when `path` had to escape something. */
  readonly path_bytes?: string
  /** Where the content lies under the checkout; absent when it was not kept (binary or too large). */
  readonly stored?: string
  readonly content: 'text' | 'binary' | 'large' | 'lfs'
  readonly bytes: number
  readonly lines: number
  readonly language: string
  readonly syntax: Syntax
  readonly is_code: boolean
  readonly role: FileRole
  readonly is_executable: boolean
}

/** What FetchCode leaves in the workspace for the other steps. Files are in path order. */
export type Manifest = {
  readonly version: 1
  readonly commit: string
  readonly files: readonly SnapshotFile[]
}

export const manifestName = 'manifest.json'

/** @throws checkout_missing when the workspace of the run is gone */
export async function readManifest(checkoutDirectory: string): Promise<Manifest> {
  try {
    // Written by FetchCode of the same version into a private directory.
    return JSON.parse(await readFile(join(checkoutDirectory, manifestName), 'utf8')) as Manifest
  } catch (error) {
    throw new StepError(
      'checkout_missing',
      'The code that was fetched for this run is no longer there. Start the analysis again.',
      { retryable: false, cause: error },
    )
  }
}
