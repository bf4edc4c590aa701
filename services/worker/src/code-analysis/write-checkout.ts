import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnalysisOptions } from './analysis-options.ts'
import type { CodeSource } from './code-source.ts'
import type { SourceContext } from './git-source.ts'
import type { Manifest } from './manifest.ts'
import type { Progress } from './progress-report.ts'
import { SkippedTally } from './skipped.ts'
import { takeSnapshot } from './snapshot.ts'

export const checkoutName = 'checkout'

export type CheckoutJob = {
  readonly options: AnalysisOptions
  readonly workspace: string
  /** A directory of the workspace that nobody else uses. */
  readonly scratchName: string
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
  readonly open: (context: SourceContext) => Promise<CodeSource>
  /** Whether to compare the working tree with the commit. */
  readonly comparesWorkTree: boolean
  /** Throws when the snapshot is of no use; then nothing is replaced. */
  readonly check: (manifest: Manifest, skipped: SkippedTally) => void
}

export type WrittenCheckout = {
  readonly manifest: Manifest
  readonly branch: string | undefined
  readonly folder: string
  readonly dirty: boolean | undefined
  readonly skipped: SkippedTally
}

/** Reads a source into the workspace's checkout. It appears there whole or not at all, and replaces an earlier one. */
export async function writeCheckout(job: CheckoutJob): Promise<WrittenCheckout> {
  const { workspace, options } = job
  const skipped = new SkippedTally()
  const scratch = join(workspace, job.scratchName)
  const fresh = join(scratch, checkoutName)
  await rm(scratch, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  const ended = new AbortController()
  const context: SourceContext = {
    program: options.program,
    limits: options.limits,
    signal: AbortSignal.any([job.signal, ended.signal]),
    scratch,
    skipped,
    onProgress: job.onProgress,
  }
  let source: CodeSource | undefined
  try {
    source = await job.open(context)
    // Side by side: comparing a large working tree takes as long as reading the commit.
    const comparing = job.comparesWorkTree ? source.isDirty() : Promise.resolve(undefined)
    comparing.catch(() => undefined)
    const manifest = await takeSnapshot(source, fresh, context)
    job.check(manifest, skipped)
    const dirty = await comparing
    job.signal.throwIfAborted()
    await rm(join(workspace, checkoutName), { recursive: true, force: true })
    await rename(fresh, join(workspace, checkoutName))
    return { manifest, branch: source.branch, folder: source.folder, dirty, skipped }
  } finally {
    ended.abort()
    await source?.close()
    await rm(scratch, { recursive: true, force: true })
  }
}
