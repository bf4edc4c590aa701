import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const inMemory = ':memory:'

/** Where the built console lies; it may be missing. */
export const consoleDir: string = fileURLToPath(new URL('../../../console/dist', import.meta.url))

export type DataPaths = {
  /** What the store opens: a directory, or `:memory:`. */
  storeDir: string
  /** Absolute; undefined when nothing is kept. */
  dataDir: string | undefined
  /** Always a directory: where the local credential and work files are. */
  baseDir: string
  workspaceDir: string
  cacheDir: string
  /** Removes what must not stay behind. */
  cleanUp(): void
}

/** The directories of a server. In memory, work files need a place all the same, which is removed at the end. */
export function dataPaths(directory: string, configured: string): DataPaths {
  const isKept = configured !== inMemory
  const base = isKept ? resolve(directory, configured) : mkdtempSync(join(tmpdir(), 'kyros-'))
  return {
    storeDir: isKept ? base : inMemory,
    dataDir: isKept ? base : undefined,
    baseDir: base,
    workspaceDir: join(base, 'workspaces'),
    cacheDir: join(base, 'cache'),
    cleanUp: () => {
      if (!isKept) rmSync(base, { recursive: true, force: true })
    },
  }
}
