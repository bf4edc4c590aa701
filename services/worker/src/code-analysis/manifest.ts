import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
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

/** @throws when there is none */
export async function readManifest(checkoutDirectory: string): Promise<Manifest> {
  // Written by FetchCode of the same version into a private directory.
  return JSON.parse(await readFile(join(checkoutDirectory, manifestName), 'utf8')) as Manifest
}

/** The manifest of a checkout that is there as a whole; undefined when it, or a part of it, is gone. */
export async function readCheckout(checkoutDirectory: string, commit: string): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(checkoutDirectory)
    const names = new Set<string>()
    for (const entry of await readdir(checkoutDirectory, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      for (const name of await readdir(join(checkoutDirectory, entry.name)))
        names.add(`${entry.name}/${name}`)
    }
    const isWhole = manifest.files.every(({ stored }) => stored === undefined || names.has(stored))
    return manifest.commit === commit && isWhole ? manifest : undefined
  } catch {
    return undefined
  }
}
