import type { NewRunEvent } from '@kyros/store/command'
import type { WorkflowBudget } from '@kyros/workflows/define'
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  setHandler,
  sleep,
  upsertMemo,
} from '@temporalio/workflow'
import { type Exceeded, RunControl } from '../embedded/operations/run-control.ts'
import type { BudgetLimits } from '../engine.ts'
import { budgetData, type Used, usedData } from './control-data.ts'
import { type LiveFacts, type MessageMeta, type Note, noteKey, signals, timerSummary } from './start-facts.ts'

/** Keeps a fact in the history that has no event of its own. */
export function note(fact: Note): void {
  upsertMemo({ [noteKey]: fact })
}

type FoldedType = 'run.pause_requested' | 'run.resume_requested' | 'run.budget_set' | 'budget.used'
type Folded = Extract<NewRunEvent, { type: FoldedType }>

/** What people and limits do to a run on a cluster: the same rules as on the embedded engine, as signals. */
export class AdapterControl {
  readonly #control: RunControl
  readonly #fail: (error: Error) => void
  #running = 0
  #activeMs: number
  #sinceMs = 0
  #noted: string | undefined
  #timing: CancellationScope | undefined
  /** Why the run is cancelled, where somebody said so. */
  cancelReason: string | undefined
  #cancelActor: string | undefined

  /** `fail` ends the run whatever its definition does. */
  constructor(live: LiveFacts, budget: WorkflowBudget | undefined, fail: (error: Error) => void) {
    const { limits, used, paused: before, activeMs = 0, cancelReason, cancelActor } = live
    const paused = before && { by: before.by, sinceMs: Date.now() }
    this.#activeMs = activeMs
    this.cancelReason = cancelReason
    this.#cancelActor = cancelActor
    const history = { paused, pausedMs: 0, limits, tokens: 0, costUsd: 0, ...used }
    const clock = { nowMs: () => Date.now() }
    // Its timers belong to the embedded engine; here they are Temporal's.
    const timers = { at: () => ({ dueMs: 0, cancel: () => {} }), size: 0, stop: () => {} }
    this.#control = new RunControl({ clock, timers }, history, budget)
    this.#fail = fail
    this.#listen()
    CancellationScope.current().cancelRequested.catch(() =>
      this.#fold({ type: 'run.resume_requested', timeMs: Date.now(), data: {} }),
    )
  }

  get isHeld(): boolean {
    return this.#held() !== undefined
  }

  /** Resolves when an attempt may begin. @throws when the scope is cancelled meanwhile */
  async open(): Promise<void> {
    for (let held = this.#held(); held !== undefined; held = this.#held()) {
      const { reason, detail } = held
      if (reason === 'budget_exceeded' && detail !== undefined && detail !== this.#noted) {
        this.#noted = detail
        note({ kind: 'held', detail })
      }
      await condition(() => this.#held()?.detail !== detail)
    }
    this.#noted = undefined
  }

  /** Resolves when what falls due may be told to the definition. */
  async resumed(): Promise<void> {
    if (this.#control.paused !== undefined) await condition(() => this.#control.paused === undefined)
  }

  begin(): void {
    this.#running += 1
    if (this.#running > 1) return
    this.#sinceMs = Date.now()
    this.#limitTime()
  }

  end(): void {
    this.#running -= 1
    if (this.#running > 0) return
    this.#activeMs += Math.max(0, Date.now() - this.#sinceMs)
    this.#timing?.cancel()
    this.#timing = undefined
  }

  /** For the next part of the run. */
  get carried(): Pick<LiveFacts, 'limits' | 'used' | 'activeMs' | 'paused' | 'cancelReason' | 'cancelActor'> {
    const { limits, tokens, costUsd, paused } = this.#control.history
    return {
      used: { tokens, costUsd },
      activeMs: this.#activeNowMs(),
      // Named also when it is not: the part before may have begun with one.
      paused: paused && { by: paused.by },
      cancelReason: this.cancelReason,
      cancelActor: this.#cancelActor,
      ...(limits === undefined ? {} : { limits }),
    }
  }

  #activeNowMs(): number {
    return this.#activeMs + (this.#running === 0 ? 0 : Math.max(0, Date.now() - this.#sinceMs))
  }

  #held() {
    return this.#control.held(this.#activeNowMs())
  }

  #fold(event: Folded, meta?: MessageMeta): void {
    this.#control.fold(event, meta?.actor)
    this.#enforce()
  }

  #listen(): void {
    const timeMs = () => Date.now()
    setHandler(defineSignal<[string, MessageMeta?]>(signals.cancel), (reason, meta) => {
      this.cancelReason ??= reason
      this.#cancelActor ??= meta?.actor
    })
    setHandler(defineSignal<[null, MessageMeta?]>(signals.pause), (_, meta) =>
      this.#fold({ type: 'run.pause_requested', timeMs: timeMs(), data: {} }, meta),
    )
    setHandler(defineSignal<[null, MessageMeta?]>(signals.resume), (_, meta) =>
      this.#fold({ type: 'run.resume_requested', timeMs: timeMs(), data: {} }, meta),
    )
    setHandler(defineSignal<[BudgetLimits, MessageMeta?]>(signals.budget), (limits, meta) => {
      this.#fold({ type: 'run.budget_set', timeMs: timeMs(), data: budgetData(limits) }, meta)
      this.#limitTime()
    })
    setHandler(defineSignal<[Used, MessageMeta?]>(signals.usage), (used, meta) =>
      this.#fold({ type: 'budget.used', timeMs: timeMs(), data: usedData(used) }, meta),
    )
  }

  #enforce(): void {
    if (!this.#control.failsWhenExceeded) return
    const exceeded = this.#control.exceeded(this.#activeNowMs())
    if (exceeded !== undefined) this.#fail(exceededFailure(exceeded))
  }

  /** Only a run that is to fail has a timer: one that parks does so before its next attempt. */
  #limitTime(): void {
    this.#timing?.cancel()
    this.#timing = undefined
    const { timeMs } = this.#control.limits
    if (timeMs === undefined || this.#running === 0 || !this.#control.failsWhenExceeded) return
    const leftMs = Math.max(1, timeMs - this.#activeNowMs())
    const timing = new CancellationScope({
      cancellable: true,
      parent: new CancellationScope({ cancellable: false }),
    })
    this.#timing = timing
    timing
      .run(() => sleep(leftMs, { summary: timerSummary('budget', 0) }))
      .then(
        () => this.#enforce(),
        () => {},
      )
  }
}

function exceededFailure({ sentence }: Exceeded): Error {
  const message = `The run has reached its budget. ${sentence}`
  const details = [{ reason: 'budget_exceeded' }]
  return ApplicationFailure.create({ message, type: 'budget_exceeded', nonRetryable: true, details })
}
