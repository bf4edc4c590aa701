import { join } from 'node:path'
import type { FetchCodeOutput } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { StepError } from '@kyros/workflows/step-error'
import type { AnalysisOptions } from './analysis-options.ts'
import { type Manifest, readCheckout } from './manifest.ts'
import { isDirectoryHash, reopenCode } from './open-code.ts'
import { type Progress, ProgressReport } from './progress-report.ts'
import { writeCheckout } from './write-checkout.ts'

/**
 * The checkouts of this process. A run that moved here from another process has none, because it lay on that
 * one's disk; then exactly the same code is fetched again, once, however many steps ask for it.
 */
export class Checkouts {
  readonly #options: AnalysisOptions
  readonly #restorations = new Map<string, Restoration>()
  #restored = 0

  constructor(options: AnalysisOptions) {
    this.#options = options
  }

  /**
   * The manifest of a run's checkout, which is complete when this resolves.
   * @throws checkout_changed when the same code cannot be had any more, and all that `fetchCode` throws
   */
  async open(fetched: FetchCodeOutput, step: StepContext): Promise<Manifest> {
    const directory = join(step.workspace, fetched.checkout)
    const found = await readCheckout(directory, fetched.commit)
    if (found !== undefined) return found
    step.log('warn', `The fetched code is not on this machine; fetching ${shownCommit(fetched)} again`)
    step.signal.throwIfAborted()
    let restoration = this.#restorations.get(directory)
    if (restoration === undefined) {
      const scratchName = `restore-${this.#restored++}`
      const started = new Restoration((signal, onProgress) =>
        restore(this.#options, { fetched, step, directory, scratchName }, signal, onProgress),
      )
      const forget = () => {
        if (this.#restorations.get(directory) === started) this.#restorations.delete(directory)
      }
      started.result.then(forget, forget)
      // Who comes after everybody left must not join what is being stopped.
      started.signal.addEventListener('abort', forget, { once: true })
      this.#restorations.set(directory, started)
      restoration = started
    }
    return await restoration.wait(step)
  }
}

type Work = (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<Manifest>

/** One fetch with several steps waiting for it. It stops when the last of them is gone. */
class Restoration {
  readonly result: Promise<Manifest>
  readonly #ended = new AbortController()
  readonly #waiting = new Set<ProgressReport>()

  constructor(work: Work) {
    this.result = work(this.#ended.signal, (progress) => {
      for (const report of this.#waiting) report.report(progress)
    })
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async wait(step: StepContext): Promise<Manifest> {
    const report = new ProgressReport(step)
    this.#waiting.add(report)
    const left = Promise.withResolvers<never>()
    const leave = () => left.reject(step.signal.reason)
    step.signal.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([this.result, left.promise])
    } finally {
      step.signal.removeEventListener('abort', leave)
      this.#waiting.delete(report)
      if (this.#waiting.size === 0) this.#ended.abort(new Error('No step waits for the code any more'))
    }
  }
}

async function restore(
  options: AnalysisOptions,
  task: { fetched: FetchCodeOutput; step: StepContext; directory: string; scratchName: string },
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<Manifest> {
  const { fetched, step, directory, scratchName } = task
  // Another step may have brought it back between the look and the start.
  const found = await readCheckout(directory, fetched.commit)
  if (found !== undefined) return found
  try {
    const { manifest } = await writeCheckout({
      options,
      workspace: step.workspace,
      scratchName,
      signal,
      onProgress,
      open: (context) => reopenCode(options, fetched, step, context),
      comparesWorkTree: false,
      check: (fresh) => checkSame(fresh, fetched),
    })
    return manifest
  } catch (error) {
    throw inContext(error, fetched)
  }
}

function checkSame(manifest: Manifest, fetched: FetchCodeOutput): void {
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
  const isSameCommit = manifest.commit === fetched.commit
  if (isSameCommit && manifest.files.length === fetched.files && bytes === fetched.bytes) return
  const why = isDirectoryHash(fetched.commit)
    ? 'The files have changed since this run read them, and without Git their earlier state cannot be had back. Start the analysis again; of a Git repository every run finds its commit again.'
    : isSameCommit
      ? `Not the same files of ${shownCommit(fetched)} can be read as when the run began: objects are missing, or the limits of the analysis are others here. Start the analysis again.`
      : `The server no longer gives out ${shownCommit(fetched)}; its branch has moved on. Start the analysis again.`
  throw new StepError('checkout_changed', why, { retryable: false })
}

/** Says first why something was fetched at all in the middle of an analysis. */
function inContext(error: unknown, fetched: FetchCodeOutput): unknown {
  if (!(error instanceof StepError)) return error
  return new StepError(
    error.code,
    `The run went on without the code it had fetched (it moved to another process, or its directory was removed), and ${shownCommit(fetched)} could not be fetched again. ${error.message}`,
    { retryable: error.retryable, cause: error },
  )
}

function shownCommit({ commit, repository }: FetchCodeOutput): string {
  return isDirectoryHash(commit) ? `the files of ${repository}` : `commit ${commit.slice(0, 12)}`
}
