import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FetchCodeInput, FetchCodeOutput } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'
import type { AnalysisOptions } from './analysis-options.ts'
import type { CodeSource } from './code-source.ts'
import { openDirectorySource } from './directory-source.ts'
import { compareText } from './file-path.ts'
import { openRemoteSource } from './git-fetch.ts'
import { locateRepository } from './git-location.ts'
import { openLocalSource, type SourceContext } from './git-source.ts'
import type { Manifest } from './manifest.ts'
import { ProgressReport } from './progress-report.ts'
import { LocalAccess, parseRepositoryAddress } from './repository-address.ts'
import { SkippedTally } from './skipped.ts'
import { takeSnapshot } from './snapshot.ts'

const checkoutName = 'checkout'
const maxLanguages = 30

/**
 * Copies the committed code into the run's workspace without running anything of the repository. Repeating it
 * replaces what an earlier attempt left.
 * @throws repository_not_allowed, repository_missing, repository_empty, repository_unreachable, repository_too_large,
 *   repository_not_readable, repository_unsupported, repository_broken, branch_missing, commit_missing, path_missing,
 *   git_missing, code_missing
 */
export async function fetchCode(
  options: AnalysisOptions,
  input: FetchCodeInput,
  step: StepContext,
): Promise<FetchCodeOutput> {
  const skipped = new SkippedTally()
  const progress = new ProgressReport(step)
  const scratch = join(step.workspace, `fetch-${step.attempt}`)
  await rm(scratch, { recursive: true, force: true })
  await mkdir(join(scratch, checkoutName), { recursive: true, mode: 0o700 })
  const ended = new AbortController()
  const context: SourceContext = {
    program: options.program,
    limits: options.limits,
    signal: AbortSignal.any([step.signal, ended.signal]),
    scratch,
    skipped,
    onProgress: (what, count) => progress.report(what, count),
  }
  let source: CodeSource | undefined
  try {
    source = await openSource(options, input, step, context)
    // Side by side: comparing a large working tree takes as long as reading the commit.
    const comparing = source.isDirty()
    comparing.catch(() => undefined)
    const manifest = await takeSnapshot(source, join(scratch, checkoutName), context)
    // With nothing read, no finding would look like no fault: the score would be full marks for no work.
    if (manifest.files.every(({ stored }) => stored === undefined)) {
      throw nothingToRead(input, manifest, skipped)
    }
    const dirty = await comparing
    if (dirty)
      skipped.add(
        'uncommitted changes',
        'only what is committed is analysed; commit them to have them analysed',
      )
    await rm(join(step.workspace, checkoutName), { recursive: true, force: true })
    await rename(join(scratch, checkoutName), join(step.workspace, checkoutName))
    step.log('info', `Read ${manifest.files.length} files of ${manifest.commit}`)
    return describe(input, source, manifest, dirty, skipped)
  } finally {
    ended.abort()
    await source?.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

async function openSource(
  options: AnalysisOptions,
  input: FetchCodeInput,
  step: StepContext,
  context: SourceContext,
): Promise<CodeSource> {
  const address = parseRepositoryAddress(input.repository)
  const reference = input.branch
  const folder = input.path ?? ''
  if (address.kind === 'remote') {
    step.log('info', `Fetching ${address.url}`)
    return await openRemoteSource(address, { reference, folder }, context)
  }
  const access = await LocalAccess.of(step.principal, options.allowedRoots)
  const directory = await access.directory(address.path)
  const location = await locateRepository(directory, access)
  if (location !== undefined) {
    const within = [location.folder, folder].filter((part) => part !== '').join('/')
    try {
      return await openLocalSource(location, { reference, folder: within }, context)
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

function describe(
  input: FetchCodeInput,
  source: CodeSource,
  manifest: Manifest,
  dirty: boolean | undefined,
  skipped: SkippedTally,
): FetchCodeOutput {
  return {
    repository: input.repository,
    commit: manifest.commit,
    ...(source.branch === undefined ? {} : { branch: source.branch }),
    ...(source.folder === '' ? {} : { path: source.folder }),
    ...(dirty === undefined ? {} : { dirty }),
    checkout: checkoutName,
    files: manifest.files.length,
    bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
    languages: countLanguages(manifest),
    skipped: skipped.list(),
  }
}

/** Files and lines per language, most lines first; a long tail becomes "Other". */
function countLanguages(manifest: Manifest): FetchCodeOutput['languages'] {
  const counts = new Map<string, { files: number; lines: number }>()
  const add = (name: string, files: number, lines: number) => {
    const count = counts.get(name) ?? { files: 0, lines: 0 }
    counts.set(name, { files: count.files + files, lines: count.lines + lines })
  }
  const isOwn = (role: string) => role !== 'vendored' && role !== 'generated' && role !== 'lock'
  for (const file of manifest.files) {
    if (file.stored !== undefined && isOwn(file.role)) add(file.language, 1, file.lines)
  }
  const ordered = [...counts].sort(([a, left], [b, right]) => right.lines - left.lines || compareText(a, b))
  for (const [name, count] of ordered.slice(maxLanguages)) {
    counts.delete(name)
    add('Other', count.files, count.lines)
  }
  return Object.fromEntries(
    ordered
      .filter(([name]) => counts.has(name))
      .map(([name]) => [name, counts.get(name) ?? { files: 0, lines: 0 }]),
  )
}

function nothingToRead(input: FetchCodeInput, manifest: Manifest, skipped: SkippedTally): StepError {
  const reasons = skipped.list().map(({ what, why }) => `${what}: ${why}`)
  const where = input.path === undefined ? 'The repository' : `The path ${JSON.stringify(input.path)}`
  const isBinary = manifest.files.length > 0 && manifest.files.every(({ content }) => content === 'binary')
  if (isBinary) {
    return new StepError(
      'code_missing',
      `${where} contains only binary files. Name another branch or path.`,
      { retryable: false },
    )
  }
  if (reasons.length > 0) {
    return new StepError(
      'repository_too_large',
      `Nothing of the repository could be read within the limits (${reasons.slice(0, 3).join('; ')}). Name a "path" with code in it.`,
      { retryable: false },
    )
  }
  return new StepError(
    'code_missing',
    `${where} contains no files that could be read. Name another branch or path.`,
    {
      retryable: false,
    },
  )
}
