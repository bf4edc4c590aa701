import { mkdirSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isId } from '@kyros/contract/id'

/** Private directories of runs, `<dir>/<run id>`. Most steps need none, so one is made when it is first asked for. */
export type Workspaces = {
  pathOf(runId: string): string
  /** Makes the directory if it is not there; readable by this user only. Blocks for the time of a mkdir. */
  open(runId: string): string
  /** The run is taken up, and may have one from before. */
  adopt(runId: string): void
  /** Looks which there are: from now on, `adopt` knows. Call it before runs are taken up whose process has ended. */
  look(): Promise<void>
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
  /** Those of runs that are not in memory; undefined while nobody looked. */
  let left: Set<string> | undefined
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
      if (left === undefined || left.delete(runId)) opened.add(runId)
    },
    look: async () => {
      left = undefined
      const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      left = new Set(names.filter((name) => isId(name) && !opened.has(name)))
    },
    has: (runId) => opened.has(runId),
    leave: (runId) => {
      if (opened.delete(runId)) left?.add(runId)
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
