import type { FetchCodeInput, FetchCodeOutput } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'
import type { AnalysisOptions } from './analysis-options.ts'
import type { CodeSource } from './code-source.ts'
import { openDirectorySource } from './directory-source.ts'
import { openRemoteSource } from './git-fetch.ts'
import { locateRepository } from './git-location.ts'
import { openLocalSource, type SourceContext } from './git-source.ts'
import { LocalAccess, parseRepositoryAddress } from './repository-address.ts'

/** Opens what a user named: a remote, a repository on this machine, or a directory outside Git. */
export async function openCode(
  options: AnalysisOptions,
  input: FetchCodeInput,
  step: StepContext,
  context: SourceContext,
): Promise<CodeSource> {
  const address = parseRepositoryAddress(input.repository)
  const reference = input.branch
  const folder = input.path ?? ''
  if (address.kind === 'remote') {
    step.log('info', `Fetching ${reference ?? 'HEAD'} from ${address.url}, without its history`)
    return await openRemoteSource(address, { reference, folder }, context)
  }
  const access = await LocalAccess.of(step.principal, options.allowedRoots)
  const directory = await access.directory(address.path)
  const location = await locateRepository(directory, access)
  if (location !== undefined) {
    const within = [location.folder, folder].filter((part) => part !== '').join('/')
    try {
      const source = await openLocalSource(location, { reference, folder: within }, context)
      const branch = source.branch === undefined ? '' : ` of ${source.branch}`
      step.log('info', `Reading commit ${source.commit?.slice(0, 12)}${branch} in ${directory}`)
      return source
    } catch (error) {
      // A directory inside a working tree that is not part of it, such as an installed package.
      const isUntracked =
        error instanceof StepError && error.code === 'path_missing' && location.folder !== ''
      if (!isUntracked || reference !== undefined) throw error
    }
  }
  if (reference !== undefined) {
    throw new StepError(
      'branch_missing',
      `${directory} is not a Git repository, so it has no branch ${JSON.stringify(reference)}. Leave the branch out to analyse the files as they are.`,
      { retryable: false },
    )
  }
  step.log('info', `${directory} is not a Git repository; its files are read as they are`)
  return await openDirectorySource(directory, folder, context)
}

/**
 * Opens exactly what `FetchCode` read, for a principal who must still be allowed to. The commit and not the branch
 * decides; the branch is only a way to get the commit from a server that gives out nothing else.
 */
export async function reopenCode(
  options: AnalysisOptions,
  fetched: FetchCodeOutput,
  step: StepContext,
  context: SourceContext,
): Promise<CodeSource> {
  const address = parseRepositoryAddress(fetched.repository)
  const { commit, branch } = fetched
  const folder = fetched.path ?? ''
  if (address.kind === 'remote') {
    try {
      return await openRemoteSource(address, { reference: commit, folder }, context)
    } catch (error) {
      const isRefused = error instanceof StepError && error.code === 'branch_missing'
      if (!isRefused) throw error
      return await openRemoteSource(address, { reference: branch, folder }, context)
    }
  }
  const access = await LocalAccess.of(step.principal, options.allowedRoots)
  const directory = await access.directory(address.path)
  if (isDirectoryHash(commit)) return await openDirectorySource(directory, folder, context)
  const location = await locateRepository(directory, access)
  if (location === undefined) {
    throw new StepError(
      'repository_missing',
      `${directory} is no longer in a Git repository. Put the repository back, or start a new analysis.`,
      { retryable: false },
    )
  }
  return await openLocalSource(location, { reference: commit, folder }, context)
}

/** Whether a snapshot is named by its contents, because it came from a directory outside Git. */
export function isDirectoryHash(commit: string): boolean {
  return commit.startsWith('files-')
}
