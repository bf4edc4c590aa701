import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { StepContext } from '@kyros/workflows/step-context'
import { type Attempt, type AttemptEnd, errorData, type StepFunction, startAttempt } from './attempt.ts'
import type { EngineParts } from './engine-parts.ts'
import type { Journal } from './journal.ts'
import type { RunLog } from './log-buffer.ts'
import { PayloadError, toJson, toStored } from './payload.ts'
import { type ResolvedStepOptions, retryDelayMs } from './retry-policy.ts'
import type { RunFacts } from './run-facts.ts'
import { createStepContext } from './step-context.ts'
import type { Timer } from './timers.ts'

export type StepRow = {
  readonly command: number
  readonly step: string
  readonly key: string
  readonly input: Json
  readonly options: ResolvedStepOptions
  /** Number of the last attempt that was started; 0 before the first. */
  attempt: number
  /** `cut`: the engine died during the attempt, which begins again under its number. */
  state: 'scheduled' | 'cut' | 'queued' | 'running' | 'backoff' | 'missing' | 'ended'
  retryAtMs?: number | undefined
  lastError?: ErrorData | undefined
  live?: Attempt | undefined
  timer?: Timer | undefined
}

export type RunStepsOptions = {
  parts: EngineParts
  run: RunFacts
  journal: Journal
  log: RunLog
  /** Runs `task` in the run's turn. */
  post: (task: () => Promise<void> | void) => void
  /** A result for the definition, with the event that records it. */
  onResult: (event: NewRunEvent) => Promise<void>
}

/** The steps of one run: who waits for a slot, who runs, who waits for the next attempt. */
export class RunSteps {
  readonly rows = new Map<number, StepRow>()
  readonly #options: RunStepsOptions
  #closed = false

  constructor(options: RunStepsOptions) {
    this.#options = options
  }

  /** Lets the next attempt of a step begin as soon as its back-off and a free slot allow. */
  dispatch(row: StepRow): void {
    const { clock, timers } = this.#options.parts
    const { retryAtMs } = row
    if (this.#implementation(row) === undefined) {
      row.state = 'missing'
    } else if (retryAtMs !== undefined && retryAtMs > clock.nowMs()) {
      row.state = 'backoff'
      row.timer = timers.at(retryAtMs, () => this.#options.post(() => this.#queue(row)))
    } else {
      this.#queue(row)
    }
  }

  /** Records that the step is not wanted any more and stops what runs of it. */
  cancel(row: StepRow, reason: string, runEnded: boolean): void {
    if (row.state === 'ended') return
    const { command, step, key, attempt } = row
    this.#end(row)
    row.live?.abort(new Error(reason))
    const ended = runEnded ? { run_ended: true as const } : {}
    this.#push({ type: 'step.cancelled', data: { step, key, command, attempt, ...ended } })
  }

  /** Records nothing more; attempts are told to stop. Resolves when all of them have. */
  async close(reason: string): Promise<void> {
    this.#closed = true
    const ending: Promise<unknown>[] = []
    for (const row of this.rows.values()) {
      row.timer?.cancel()
      if (row.live === undefined) continue
      row.live.abort(new Error(reason))
      ending.push(row.live.ended)
    }
    await Promise.all(ending)
  }

  /** Resolves when no attempt runs that was launched by now. */
  async attemptsEnded(): Promise<void> {
    await Promise.all([...this.rows.values()].map((row) => row.live?.ended))
  }

  #implementation(row: StepRow): StepFunction | undefined {
    return this.#options.parts.implementation(this.#options.run.workflow, row.step)
  }

  #queue(row: StepRow): void {
    if (row.state === 'ended' || this.#closed) return
    const { parts, run, post } = this.#options
    const isCut = row.state === 'cut'
    row.retryAtMs = undefined
    row.state = 'queued'
    const begin = () => this.#begin(row, isCut ? row.attempt : row.attempt + 1)
    if (parts.slots.take(run.runId, () => post(begin))) begin()
  }

  /** Holds a slot from here on. */
  #begin(row: StepRow, attempt: number): void {
    const { slots } = this.#options.parts
    if (row.state !== 'queued' || this.#closed) {
      slots.release()
      return
    }
    row.attempt = attempt
    row.state = 'running'
    const { command, step, key } = row
    this.#push(
      { type: 'step.started', data: { step, key, command, attempt } },
      () => this.#launch(row).catch((error: unknown) => this.#options.parts.onBug(error)),
      () => slots.release(),
    )
  }

  /** All that the attempt depends on is on disk now. */
  async #launch(row: StepRow): Promise<void> {
    const { parts, post } = this.#options
    const implementation = this.#implementation(row)
    if (row.state !== 'running' || this.#closed || implementation === undefined) return parts.slots.release()
    const { attempt } = row
    row.live = this.#start(row, implementation)
    const end = await row.live.ended
    row.live = undefined
    const lines = this.#options.log.flush()
    const settled = await this.#settled(row, end)
    await lines
    parts.slots.release()
    if (this.#closed || parts.isClosing()) return
    post(() => (row.state === 'running' && row.attempt === attempt ? this.#record(row, settled) : undefined))
  }

  #start(row: StepRow, implementation: StepFunction): Attempt {
    const { parts, run, log } = this.#options
    const { store, clock, timers, abortGraceMs } = parts
    const { runId, principal } = run
    const { step, key, attempt, input } = row
    const { startToCloseMs, heartbeatMs } = row.options
    const openWorkspace = () => parts.workspaces.open(runId)
    const known = { store, clock, log, runId, step, key, attempt, principal, openWorkspace }
    const createContext = (own: Pick<StepContext, 'signal' | 'heartbeat'>) =>
      createStepContext({ ...known, ...own })
    const limits = { startToCloseMs, heartbeatMs, abortGraceMs, timers, clock }
    return startAttempt({ implementation, input, createContext, ...limits })
  }

  async #settled(row: StepRow, end: AttemptEnd): Promise<Settled> {
    if (end.kind === 'failed') return end
    try {
      const output = toJson(end.output, `The output of step ${row.step}`)
      const stored = await toStored(output, `The output of step ${row.step}`, this.#options.parts.store.blobs)
      return { kind: 'completed', output, stored }
    } catch (error) {
      const data = errorData(error)
      return { kind: 'failed', error: { ...data, retryable: !(error instanceof PayloadError) } }
    }
  }

  async #record(row: StepRow, settled: Settled): Promise<void> {
    const { command, step, key, attempt } = row
    const base = { step, key, command, attempt }
    if (settled.kind === 'completed') {
      this.#end(row)
      const event = this.#push({ type: 'step.completed', data: { ...base, output: settled.stored } })
      const { timeMs } = event
      return this.#options.onResult({
        type: 'step.completed',
        timeMs,
        data: { ...base, output: settled.output },
      })
    }
    const { error } = settled
    row.lastError = error
    const delayMs = retryDelayMs(row.options, attempt, error)
    if (delayMs === undefined) {
      this.#end(row)
      return this.#options.onResult(this.#push({ type: 'step.failed', data: { ...base, error } }))
    }
    const retryAtMs = this.#options.journal.stampMs() + delayMs
    const retry_at = new Date(retryAtMs).toISOString()
    this.#push({ type: 'step.failed', data: { ...base, error, retry_at } })
    row.retryAtMs = retryAtMs
    this.dispatch(row)
  }

  #end(row: StepRow): void {
    row.state = 'ended'
    row.timer?.cancel()
  }

  #push(
    event: Pick<NewRunEvent, 'type' | 'data'>,
    whenDurable?: () => void,
    whenLost?: () => void,
  ): NewRunEvent {
    // Border cast: `type` and `data` were written together by the caller.
    const stamped = { ...event, timeMs: this.#options.journal.stampMs() } as NewRunEvent
    this.#options.journal.push(stamped, whenDurable, whenLost)
    return stamped
  }
}

type Settled = { kind: 'completed'; output: Json; stored: Json } | { kind: 'failed'; error: ErrorData }
