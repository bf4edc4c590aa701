import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isId } from '@kyros/contract/id'

/** Private directories of runs, `<dir>/<run id>`. */
export type Workspaces = {
  pathOf(runId: string): string
  /** Makes the directory if it is not there; readable by this user only. */
  open(runId: string): Promise<string>
  remove(runId: string): Promise<void>
  /** Removes directories of runs that are not in `kept`; leaves everything else alone. */
  sweep(kept: (runId: string) => boolean): Promise<void>
}

export function createWorkspaces(dir: string): Workspaces {
  const root = resolve(dir)
  const pathOf = (runId: string) => join(root, runId)
  const remove = (runId: string) => rm(pathOf(runId), { recursive: true, force: true, maxRetries: 3 })
  return {
    pathOf,
    remove,
    open: async (runId) => {
      await mkdir(pathOf(runId), { recursive: true, mode: 0o700 })
      return pathOf(runId)
    },
    sweep: async (kept) => {
      const names = await readdir(root).catch(() => [])
      for (const name of names) if (isId(name) && !kept(name)) await remove(name)
    },
  }
}
