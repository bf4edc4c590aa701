import { mkdirSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isId } from '@kyros/contract/id'

/** Private directories of runs, `<dir>/<run id>`. Most steps need none, so one is made when it is first asked for. */
export type Workspaces = {
  pathOf(runId: string): string
  /** Makes the directory if it is not there; readable by this user only. Blocks for the time of a mkdir. */
  open(runId: string): string
  /** An earlier process may have made one: `remove` looks. */
  adopt(runId: string): void
  /** Whether there may be one. */
  has(runId: string): boolean
  /** Forgets about it and leaves it where it is, until `adopt`. */
  leave(runId: string): void
  remove(runId: string): Promise<void>
  /** Removes directories of runs that are not in `kept`; leaves everything else alone. */
  sweep(kept: (runId: string) => boolean): Promise<void>
}

export function createWorkspaces(dir: string): Workspaces {
  const root = resolve(dir)
  const opened = new Set<string>()
  const pathOf = (runId: string) => join(root, runId)
  const remove = (runId: string) => rm(pathOf(runId), { recursive: true, force: true, maxRetries: 3 })
  return {
    pathOf,
    open: (runId) => {
      const path = pathOf(runId)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      opened.add(runId)
      return path
    },
    adopt: (runId) => {
      opened.add(runId)
    },
    has: (runId) => opened.has(runId),
    leave: (runId) => {
      opened.delete(runId)
    },
    remove: async (runId) => {
      if (opened.delete(runId)) await remove(runId)
    },
    sweep: async (kept) => {
      const names = await readdir(root).catch(() => [])
      for (const name of names) if (isId(name) && !kept(name)) await remove(name)
    },
  }
}
