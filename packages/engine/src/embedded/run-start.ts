import type { NewRunEvent } from '@kyros/store/command'
import type { EngineParts } from './engine-parts.ts'
import type { Shown } from './history.ts'
import type { RunControl } from './operations/run-control.ts'
import type { RunFacts } from './run-facts.ts'
import { enterGate } from './run-gates.ts'
import type { EndEvent } from './run-outcome.ts'
import type { Timer } from './timers.ts'
import type { WorkflowHost } from './workflow-host.ts'

/** Whose start it is. */
export type StartOf = {
  readonly facts: RunFacts
  readonly host: WorkflowHost | undefined
  readonly control: RunControl | undefined
  readonly held: Shown | undefined
  readonly ended: boolean
  /** A fork that has not begun. */
  readonly awaitsPlace: boolean
  readonly blocked: string | undefined
  shown: Shown | undefined
  startedMs: number | undefined
  post(turn: () => void): void
  push(event: Pick<NewRunEvent, 'type' | 'data'>): NewRunEvent
  apply(event: NewRunEvent): void
  replay(): void
  block(detail: string): void
  stopAll(reason: string): void
  finish(end: Pick<EndEvent, 'type' | 'data'>): void
}

/** When one run begins, and until when it may take. */
export class RunStart {
  /** What the run waits for before it begins. */
  wait: Shown | undefined
  /** Why it was not let in, where its workflow refuses runs beyond a limit. */
  rejection: string | undefined
  readonly #parts: Pick<EngineParts, 'gates' | 'timers'>
  readonly #run: StartOf
  /** Until the run began: its start; then its end. */
  #timer: Timer | undefined

  constructor(parts: Pick<EngineParts, 'gates' | 'timers'>, run: StartOf) {
    this.#parts = parts
    this.#run = run
  }

  /** When it begins, or when its time is over; undefined while neither is set. */
  get dueMs(): number | undefined {
    return this.#timer?.dueMs
  }

  /** Begins the run at its time, or now when it has none. */
  at(startAtMs: number | undefined): void {
    if (startAtMs === undefined) {
      this.begin()
      return
    }
    this.wait = { reason: 'timer', until: new Date(startAtMs).toISOString() }
    this.#timer = this.#parts.timers.at(startAtMs, () => this.#run.post(() => this.begin()))
  }

  /** Begins the run now, unless it has begun or may not. */
  begin(): void {
    const run = this.#run
    if (run.startedMs !== undefined || run.ended || run.host === undefined) return
    this.wait = undefined
    if (run.held?.reason === 'paused' || !this.#enter(run.host)) return
    const { awaitsPlace } = run
    const event = run.push({ type: awaitsPlace ? 'run.resumed' : 'run.started', data: {} })
    run.shown = undefined
    run.startedMs = event.timeMs
    this.limit()
    if (awaitsPlace) run.replay()
    else run.apply(event)
  }

  /** Sets when the time of the run is over; while it is paused, never. */
  limit(): void {
    const { startedMs, control, facts } = this.#run
    if (startedMs === undefined) return
    this.#timer?.cancel()
    if (control?.paused !== undefined) return
    const dueMs = startedMs + facts.timeoutSeconds * 1000 + (control?.pausedMs ?? 0)
    this.#timer = this.#parts.timers.at(dueMs, () => this.#run.post(() => this.#timeOut()))
  }

  close(): void {
    this.#timer?.cancel()
  }

  /** True when it may begin: its workflow may limit how many runs are under way. */
  #enter(host: WorkflowHost): boolean {
    const run = this.#run
    const entered = enterGate(this.#parts.gates, run.facts, host.loaded.definition.concurrency)
    switch (entered.kind) {
      case 'admitted':
        return true
      case 'queued':
        this.wait = entered.wait
        return false
      case 'blocked':
        run.block(entered.detail)
        return false
      case 'refused':
        this.rejection = entered.end.type === 'run.failed' ? entered.sentence : undefined
        run.stopAll(entered.sentence)
        run.finish(entered.end)
        return false
    }
  }

  /** A run that is blocked as a bug is not ended by its time limit: the fault is not the user's. */
  #timeOut(): void {
    const run = this.#run
    if (run.ended || run.blocked !== undefined) return
    const message = `The run took longer than its limit of ${run.facts.timeoutSeconds} seconds.`
    run.stopAll(message)
    run.finish({ type: 'run.timed_out', data: { error: { code: 'run_timed_out', message } } })
  }
}
