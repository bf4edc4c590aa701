import { resolve } from 'node:path'
import { systemClock } from '@kyros/kernel/clock'
import type { Log } from '@kyros/kernel/log'
import type { Store } from '@kyros/store/store'
import { catalogue } from '@kyros/workflows/catalogue'
import type { Config } from '../config.ts'
import { lazySteps } from './lazy-steps.ts'
import { type OwnWorkflows, openOwnWorkflows, workflowsDirOf } from './own-workflows.ts'
import type { DataPaths } from './paths.ts'

export type WorkflowsInput = {
  config: Config
  paths: Pick<DataPaths, 'cacheDir'>
  log: Log
  /** Where the process was started. */
  directory: string
  /** Of this process: where steps look for git and for the agent that holds ssh keys. */
  env: Readonly<Record<string, string | undefined>>
}

/** The workflows that come with Kyros and the user's own, with their steps. */
export function openWorkflows(
  { config, paths, log, env, directory }: WorkflowsInput,
  store: Store,
): Promise<OwnWorkflows> {
  return openOwnWorkflows({
    store,
    log,
    directory,
    dir: workflowsDirOf(directory, config),
    mayBeMissing: config.workflows.dir === undefined,
    cacheDir: paths.cacheDir,
    builtIn: catalogue,
    builtInSteps: lazySteps(catalogue, async () => {
      const { createSteps } = await import('@kyros/worker/steps')
      const { allowed_roots: allowedRoots, advisory_file: advisoryFile } = config.analysis
      const { PATH: path, SSH_AUTH_SOCK: sshAuthSocket } = env
      return createSteps({
        allowedRoots,
        ...(advisoryFile !== undefined && { advisoryFile: resolve(advisoryFile) }),
        environment: {
          ...(path !== undefined && { path }),
          ...(sshAuthSocket !== undefined && { sshAuthSocket }),
        },
      })
    }),
    nowMs: () => systemClock.nowMs(),
  })
}
