import { fork } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnalysisArea } from '@kyros/workflows/code-analysis/steps'
import { StepError } from '@kyros/workflows/step-error'
import type { AreaResult } from './finding.ts'
import type { AnalysisLimits } from './limits.ts'
import { siblingModule } from './sibling-module.ts'

/** What the analyzing process is told. */
export type AreaTask = {
  readonly area: AnalysisArea
  readonly checkoutDirectory: string
  readonly resultFile: string
  /** `<file index> <files done>`, rewritten before each file: it survives even a crash of the process. */
  readonly progressFile: string
  readonly memoryMb: number
  /** Files that made an earlier try crash or hang. */
  readonly excluded: readonly { readonly index: number; readonly why: string }[]
  readonly advisoryFile: string | undefined
}

export type AreaRun = {
  readonly area: AnalysisArea
  readonly checkoutDirectory: string
  readonly scratch: string
  readonly limits: AnalysisLimits
  readonly advisoryFile: string | undefined
  readonly signal: AbortSignal
  readonly onProgress: (filesDone: number) => void
  /** Told of each file that made the process crash or hang, before the others are analysed again. */
  readonly onLeftOut: (index: number, why: string) => void
}

const maxRestarts = 25
const pollIntervalMs = 250

/** The index that says "between files": comparing them with each other. */
export const acrossFiles = -1

type Attempt = { kind: 'done' } | { kind: 'stuck' | 'crashed'; index: number } | { kind: 'too_slow' }

/**
 * Analyses one area in a process of its own. A file that makes it crash or hang is left out, named, and the rest is
 * analysed again without it.
 * @throws analysis_timed_out, analysis_failed
 */
export async function analyseArea(run: AreaRun): Promise<AreaResult> {
  const deadlineMs = performance.now() + run.limits.areaTimeoutMs
  const resultFile = join(run.scratch, `${run.area}-result.json`)
  const progressFile = join(run.scratch, `${run.area}-progress`)
  const excluded: { index: number; why: string }[] = []
  for (let restart = 0; restart <= maxRestarts; restart++) {
    await rm(resultFile, { force: true })
    const task: AreaTask = {
      area: run.area,
      checkoutDirectory: run.checkoutDirectory,
      resultFile,
      progressFile,
      memoryMb: run.limits.analyzerMemoryMb,
      excluded,
      advisoryFile: run.advisoryFile,
    }
    const attempt = await runOnce(task, run, deadlineMs)
    if (attempt.kind === 'done') {
      // Written by our own process a moment ago.
      return JSON.parse(await readFile(resultFile, 'utf8')) as AreaResult
    }
    if (attempt.kind === 'too_slow' || attempt.index === acrossFiles) throw tooMuch(run, attempt.kind)
    const why =
      attempt.kind === 'stuck'
        ? `the analyzer took longer than ${run.limits.fileTimeoutMs / 1_000} s for it`
        : 'the analyzer crashed on it'
    excluded.push({ index: attempt.index, why })
    run.onLeftOut(attempt.index, why)
  }
  throw tooMuch(run, 'crashed')
}

async function runOnce(task: AreaTask, run: AreaRun, deadlineMs: number): Promise<Attempt> {
  run.signal.throwIfAborted()
  await rm(task.progressFile, { force: true })
  const child = fork(siblingModule(import.meta.url, 'area-process-main'), [], {
    cwd: run.scratch,
    env: {},
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  child.send(task)
  let verdict: Attempt | undefined
  const stop = (attempt: Attempt) => {
    verdict ??= attempt
    child.kill('SIGKILL')
  }
  const onAbort = () => stop({ kind: 'too_slow' })
  run.signal.addEventListener('abort', onAbort, { once: true })
  let lastProgress = ''
  let lastChangeMs = performance.now()
  const poll = setInterval(async () => {
    const progress = await readFile(task.progressFile, 'utf8').catch(() => '')
    const nowMs = performance.now()
    if (progress !== lastProgress) {
      lastProgress = progress
      lastChangeMs = nowMs
      run.onProgress(filesDone(progress))
    }
    const index = currentIndex(progress)
    const patienceMs = index === acrossFiles ? run.limits.toolTimeoutMs : run.limits.fileTimeoutMs
    if (nowMs > deadlineMs) stop({ kind: 'too_slow' })
    else if (nowMs - lastChangeMs > patienceMs) stop({ kind: 'stuck', index })
  }, pollIntervalMs)
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('exit', (code) => resolve(code))
  }).finally(() => {
    clearInterval(poll)
    run.signal.removeEventListener('abort', onAbort)
  })
  run.signal.throwIfAborted()
  if (verdict !== undefined) return verdict
  if (exitCode === 0) return { kind: 'done' }
  const progress = await readFile(task.progressFile, 'utf8').catch(() => '')
  return { kind: 'crashed', index: currentIndex(progress) }
}

function currentIndex(progress: string): number {
  const index = Number.parseInt(progress, 10)
  return Number.isNaN(index) ? acrossFiles : index
}

function filesDone(progress: string): number {
  return Number(progress.trim().split(' ')[1] ?? 0)
}

function tooMuch(run: AreaRun, kind: 'too_slow' | 'stuck' | 'crashed'): StepError {
  const advice = 'Analyse a part of the repository by naming a "path".'
  return kind === 'crashed'
    ? new StepError(
        'analysis_failed',
        `The ${run.area} analysis needs more memory than it may have, or too many files crash it. ${advice}`,
        { retryable: false },
      )
    : new StepError(
        'analysis_timed_out',
        `The ${run.area} analysis did not finish within its time. ${advice}`,
        { retryable: false },
      )
}
