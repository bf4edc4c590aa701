import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import { Attempt, type AttemptEnd, errorData, type StepFunction } from './attempt.ts'
import type { EngineParts } from './engine-parts.ts'
import type { Shown } from './history.ts'
import type { Journal } from './journal.ts'
import { PayloadError, toJson } from './json-value.ts'
import type { RunLog } from './log-buffer.ts'
import { isSmall, toStored } from './payload.ts'
import { type ResolvedStepOptions, retryDelayMs } from './retry-policy.ts'
import type { RunFacts } from './run-facts.ts'
import { AttemptContext } from './step-context.ts'
import type { Timer } from './timers.ts'

export type StepRow = {
  readonly command: number
  readonly step: string
  readonly key: string
  readonly input: Json
  readonly options: ResolvedStepOptions
  /** Number of the last attempt that was started; 0 before the first. */
  attempt: number
  /**
   * `cut`: the engine died during the attempt, which begins again under its number. `held`: the run is paused or over its
   * budget, and the attempt begins when that is over.
   */
  state: 'scheduled' | 'cut' | 'held' | 'queued' | 'running' | 'backoff' | 'missing' | 'ended'
  /** Number of the attempt that begins next. */
  number: number
  /** How often an attempt of it was cut off before and began again. */
  readonly cuts: number
  retryAtMs: number | undefined
  lastError: ErrorData | undefined
  live: Attempt | undefined
  timer: Timer | undefined
  /** By when it must have ended, whatever comes of its attempts. */
  readonly closeByMs: number | undefined
  closing: Timer | undefined
}

/** A row of a step that the definition asked for. */
export function newRow(
  asked: Pick<StepRow, 'command' | 'step' | 'key' | 'input' | 'options'>,
  known: Pick<StepRow, 'attempt' | 'state' | 'retryAtMs'> & { cuts?: number; scheduledMs: number },
): StepRow {
  const { command, step, key, input, options } = asked
  const { attempt, state, retryAtMs, scheduledMs, cuts = 0 } = known
  const { scheduleToCloseMs } = options
  const closeByMs = scheduleToCloseMs === undefined ? undefined : scheduledMs + scheduleToCloseMs
  const idle = { number: 0, lastError: undefined, live: undefined, timer: undefined, closing: undefined }
  return { command, step, key, input, options, attempt, state, retryAtMs, closeByMs, cuts, ...idle }
}

/** Whose steps they are. */
export type StepsOf = {
  readonly facts: RunFacts
  readonly journal: Journal
  readonly log: RunLog
  readonly isClosed: boolean
  /** Why no attempt may begin now. */
  readonly held: Shown | undefined
  /** Runs `task` in the run's turn. */
  post(task: () => void): void
  /** Attempts begin to run, or none does any more. */
  onActive(isActive: boolean): void
  /** A result for the definition, with the event that records it. */
  apply(event: NewRunEvent): void
}

// A step that ends the process is tried again at each start: so often before that is a failed attempt like any other.
const maxCuts = 4
// How soon to look again whether the engine is still ours.
const unsureMs = 50

/** The steps of one run: who waits for a slot, who runs, who waits for the next attempt. */
export class RunSteps {
  /** Those that have not ended, by command. */
  readonly rows = new Map<number, StepRow>()
  readonly #parts: EngineParts
  readonly #run: StepsOf
  /** Attempts at work, also those whose result nobody waits for any more. */
  readonly #attempts = new Set<Attempt>()
  #closed = false
  /** Attempts whose start is in the log and whose end is not. */
  #running = 0
  #activeMs: number
  #activeSinceMs = 0

  /** `activeMs`: in how much time attempts ran before. */
  constructor(parts: EngineParts, run: StepsOf, activeMs: number) {
    this.#parts = parts
    this.#run = run
    this.#activeMs = activeMs
  }

  /** The time in which attempts ran, each moment counted once, by the times in the log. */
  activeMs(nowMs: number): number {
    return this.#activeMs + (this.#running === 0 ? 0 : Math.max(0, nowMs - this.#activeSinceMs))
  }

  /** True when no step will begin or end unless somebody from outside lets it. */
  get isAtRest(): boolean {
    for (const row of this.rows.values()) if (row.state !== 'held') return false
    return true
  }

  get isActive(): boolean {
    return this.#running > 0
  }

  /** Lets begin what was held. */
  letGo(): void {
    const nowMs = this.#parts.clock.nowMs()
    for (const row of this.rows.values()) {
      if ((row.closeByMs ?? Infinity) <= nowMs) this.#timeOut(row)
      else if (row.state === 'held') this.#queue(row)
    }
  }

  /** Lets the next attempt of a step begin as soon as its back-off and a free slot allow. */
  dispatch(row: StepRow): void {
    const { clock, timers } = this.#parts
    const { retryAtMs, closeByMs } = row
    if (closeByMs !== undefined) {
      row.closing ??= timers.at(closeByMs, () => this.#run.post(() => this.#timeOut(row)))
    }
    if (this.#implementation(row) === undefined) {
      row.state = 'missing'
    } else if (retryAtMs !== undefined && retryAtMs > clock.nowMs()) {
      row.state = 'backoff'
      row.timer = timers.at(retryAtMs, () => this.#run.post(() => this.#queue(row)))
    } else if (row.state === 'cut' && row.cuts >= maxCuts) {
      this.#run.post(() => this.#giveUpCut(row))
    } else {
      this.#queue(row)
    }
  }

  #giveUpCut(row: StepRow): void {
    if (row.state !== 'cut') return
    const message = `The server ended ${row.cuts + 1} times while this step ran. See whether the step ends it: by process.exit, by taking all memory, or by a loop that never waits.`
    this.#recordFailure(row, { code: 'step_cut_off', message, retryable: true })
  }

  /** Records that the step is not wanted any more and stops what runs of it. */
  cancel(row: StepRow, reason: string, runEnded: boolean): void {
    if (row.state === 'ended') return
    const { command, step, key, attempt } = row
    if (row.state === 'running') this.#endActive()
    this.#end(row)
    row.live?.abort(new Error(reason))
    const ended = runEnded ? { run_ended: true as const } : {}
    this.#push({ type: 'step.cancelled', data: { step, key, command, attempt, ...ended } })
  }

  /** Records nothing more; attempts are told to stop. Resolves when all of them have. */
  async close(reason: string): Promise<void> {
    this.#closed = true
    for (const row of this.rows.values()) {
      row.timer?.cancel()
      row.closing?.cancel()
    }
    for (const attempt of this.#attempts) attempt.abort(new Error(reason))
    await this.attemptsEnded()
  }

  /** True while an implementation is at work, also one whose result nobody waits for any more. */
  get hasAttempts(): boolean {
    return this.#attempts.size > 0
  }

  /** Resolves when no attempt runs that was launched by now. */
  async attemptsEnded(): Promise<void> {
    await Promise.all([...this.#attempts].map((attempt) => attempt.ended()))
  }

  #implementation(row: StepRow): StepFunction | undefined {
    return this.#parts.implementation(this.#run.facts.workflow, row.step)
  }

  #queue(row: StepRow): void {
    if (row.state === 'ended' || this.#closed) return
    const run = this.#run
    if (row.state !== 'held') row.number = row.state === 'cut' ? row.attempt : row.attempt + 1
    row.retryAtMs = undefined
    row.state = run.held === undefined ? 'queued' : 'held'
    if (row.state === 'held') return
    // A run that was let go while a step that it did not want any more stood in line has no turn to take.
    const granted = () => (run.isClosed ? this.#release(row) : run.post(() => this.#begin(row)))
    if (this.#parts.slots.take(run.facts.runId, granted, row.options)) this.#begin(row)
  }

  /** Holds a slot from here on. */
  #begin(row: StepRow): void {
    if (row.state === 'queued' && this.#run.held !== undefined) row.state = 'held'
    if (row.state !== 'queued' || this.#closed) {
      this.#release(row)
      return
    }
    const attempt = row.number
    const lease = this.#parts.epoch()
    row.attempt = attempt
    row.state = 'running'
    const { command, step, key } = row
    this.#beginActive()
    this.#push(
      { type: 'step.started', data: { step, key, command, attempt } },
      () => this.#launch(row, lease),
      () => this.#release(row),
    )
  }

  /** All that the attempt depends on is on disk now. */
  #launch(row: StepRow, lease: number | undefined): void {
    const { log, facts } = this.#run
    const parts = this.#parts
    const implementation = this.#implementation(row)
    // Another process may have had the engine in between, although it is ours again.
    const isOurs = lease === parts.epoch()
    if (row.state !== 'running' || this.#closed || !isOurs || implementation === undefined) {
      this.#release(row)
      return
    }
    if (!parts.isSure()) {
      // Whoever has the engine by now may have done the step already: the next renewal of the lease tells.
      parts.timers.at(parts.clock.nowMs() + unsureMs, () => this.#launch(row, lease))
      return
    }
    const { step, key, attempt: number, options } = row
    const live: Attempt = new Attempt(parts, options, (end) => this.#ended(row, number, live, end))
    row.live = live
    this.#attempts.add(live)
    const { runId, principal, traceparent } = facts
    live.run(
      implementation,
      row.input,
      new AttemptContext({ parts, log, runId, principal, traceparent, step, key, number }, live),
    )
  }

  #ended(row: StepRow, number: number, live: Attempt, end: AttemptEnd): void {
    this.#attempts.delete(live)
    row.live = undefined
    const { log } = this.#run
    // Handed over before the end is: who sees the end finds the lines and the chunks.
    const lines = log.isEmpty ? undefined : log.flush()
    const chunks = live.flushed?.()
    const settled = this.#settled(row, end)
    if (lines === undefined && chunks === undefined && !(settled instanceof Promise)) {
      this.#hand(row, number, settled)
      return
    }
    Promise.all([settled, lines, chunks]).then(([known]) => this.#hand(row, number, known), this.#parts.onBug)
  }

  #hand(row: StepRow, number: number, settled: Settled): void {
    this.#release(row)
    if (this.#closed || this.#parts.isClosing()) return
    this.#run.post(() => {
      if (row.state === 'running' && row.attempt === number) this.#record(row, settled)
    })
  }

  #release(row: StepRow): void {
    this.#parts.slots.release(this.#run.facts.runId, row.options)
  }

  #settled(row: StepRow, end: AttemptEnd): Settled | Promise<Settled> {
    if (end.kind === 'failed') return end
    try {
      const output = toJson(end.output, `The output of step ${row.step}`)
      return isSmall(output) ? { kind: 'completed', output, stored: output } : this.#store(row, output)
    } catch (error) {
      return unusable(error)
    }
  }

  async #store(row: StepRow, output: Json): Promise<Settled> {
    try {
      const stored = await toStored(output, `The output of step ${row.step}`, this.#parts.store.blobs)
      return { kind: 'completed', output, stored }
    } catch (error) {
      return unusable(error)
    }
  }

  #record(row: StepRow, settled: Settled): void {
    const { command, step, key, attempt } = row
    this.#endActive()
    if (settled.kind === 'failed') {
      this.#recordFailure(row, settled.error)
      return
    }
    this.#end(row)
    const { output, stored } = settled
    const event = this.#push({
      type: 'step.completed',
      data: { step, key, command, attempt, output: stored },
    })
    const { timeMs } = event
    const data = { step, key, command, attempt, output }
    this.#run.apply(output === stored ? event : { type: 'step.completed', timeMs, data })
  }

  #recordFailure(row: StepRow, error: ErrorData): void {
    const { command, step, key, attempt } = row
    const base = { step, key, command, attempt }
    row.lastError = error
    const delayMs = retryDelayMs(row.options, attempt, error)
    const retryAtMs = this.#run.journal.stampMs() + (delayMs ?? Infinity)
    if (retryAtMs >= (row.closeByMs ?? Infinity)) {
      this.#end(row)
      this.#run.apply(this.#push({ type: 'step.failed', data: { ...base, error } }))
      return
    }
    const retry_at = new Date(retryAtMs).toISOString()
    this.#push({ type: 'step.failed', data: { ...base, error, retry_at } })
    row.retryAtMs = retryAtMs
    this.dispatch(row)
  }

  /** The time of the whole step is over. While the run is paused it waits, like everything that falls due. */
  #timeOut(row: StepRow): void {
    if (row.state === 'ended' || this.#closed || this.#run.held?.reason === 'paused') return
    const { command, step, key, attempt, options } = row
    const message = `The step took longer than ${options.scheduleToCloseMs} ms in all.`
    const error = { code: 'step_timed_out', message, retryable: false }
    if (row.state === 'running') this.#endActive()
    this.#end(row)
    row.live?.abort(new Error(message))
    this.#run.apply(this.#push({ type: 'step.failed', data: { step, key, command, attempt, error } }))
  }

  #beginActive(): void {
    this.#running += 1
    if (this.#running > 1) return
    this.#activeSinceMs = this.#run.journal.stampMs()
    this.#run.onActive(true)
  }

  #endActive(): void {
    this.#running -= 1
    if (this.#running > 0) return
    this.#activeMs += Math.max(0, this.#run.journal.stampMs() - this.#activeSinceMs)
    this.#run.onActive(false)
  }

  #end(row: StepRow): void {
    row.state = 'ended'
    row.timer?.cancel()
    row.closing?.cancel()
    this.rows.delete(row.command)
  }

  #push(
    event: Pick<NewRunEvent, 'type' | 'data'>,
    whenDurable?: () => void,
    whenLost?: () => void,
  ): NewRunEvent {
    const { journal } = this.#run
    // Border cast: `type` and `data` were written together by the caller.
    const stamped = { type: event.type, timeMs: journal.stampMs(), data: event.data } as NewRunEvent
    journal.push(stamped, whenDurable, whenLost)
    return stamped
  }
}

type Settled = { kind: 'completed'; output: Json; stored: Json } | { kind: 'failed'; error: ErrorData }

function unusable(error: unknown): Settled {
  return { kind: 'failed', error: { ...errorData(error), retryable: !(error instanceof PayloadError) } }
}
