import type { FetchCodeInput, FetchCodeOutput } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'
import type { AnalysisOptions } from './analysis-options.ts'
import { compareText } from './file-path.ts'
import type { Manifest } from './manifest.ts'
import { isDirectoryHash, openCode } from './open-code.ts'
import { leftOutSentence, ProgressReport } from './progress-report.ts'
import { byteSize, counted } from './quantity.ts'
import type { SkippedTally } from './skipped.ts'
import { checkoutName, type WrittenCheckout, writeCheckout } from './write-checkout.ts'

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
  const progress = new ProgressReport(step)
  const written = await writeCheckout({
    options,
    workspace: step.workspace,
    scratchName: `fetch-${step.attempt}`,
    signal: step.signal,
    onProgress: (made) => progress.report(made),
    open: (context) => openCode(options, input, step, context),
    comparesWorkTree: true,
    check: (manifest, skipped) => {
      // With nothing read, no finding would look like no fault: the score would be full marks for no work.
      const isUnread = manifest.files.every(({ stored }) => stored === undefined)
      if (isUnread) throw nothingToRead(input, manifest, skipped)
    },
  })
  if (written.dirty) {
    written.skipped.add(
      'uncommitted changes',
      'only what is committed is analysed; commit them to have them analysed',
    )
  }
  const fetched = describe(input, written)
  step.log('info', readSentence(fetched, written.manifest))
  return fetched
}

function readSentence({ commit, skipped }: FetchCodeOutput, { files }: Manifest): string {
  const read = files.filter(({ stored }) => stored !== undefined)
  const lines = read.reduce((sum, file) => sum + file.lines, 0)
  const bytes = read.reduce((sum, file) => sum + file.bytes, 0)
  const where = isDirectoryHash(commit) ? '' : ` of commit ${commit.slice(0, 12)}`
  return `Read ${counted(read.length, 'file')}${where}: ${counted(lines, 'line')}, ${byteSize(bytes)}.${leftOutSentence(skipped)}`
}

function describe(input: FetchCodeInput, written: WrittenCheckout): FetchCodeOutput {
  const { manifest, branch, folder, dirty, skipped } = written
  return {
    repository: input.repository,
    commit: manifest.commit,
    ...(branch === undefined ? {} : { branch }),
    ...(folder === '' ? {} : { path: folder }),
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
