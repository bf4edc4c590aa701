import type { NewRunEvent } from '@kyros/store/command'
import type { WorkflowBudget } from '@kyros/workflows/define'
import type { BudgetLimits } from '../../engine.ts'
import type { Shown } from '../history.ts'
import type { LiveRun } from '../live-run.ts'
import type { RunHands } from '../run-hands.ts'
import type { EngineClock, Timer, Timers } from '../timers.ts'

/** What the log says of what people and limits do to a run. */
export type ControlHistory = {
  /** Set while it is paused. */
  readonly paused: { readonly by: string; readonly sinceMs: number } | undefined
  /** How long it was paused before that, in all: its time limit does not count it. */
  readonly pausedMs: number
  /** Limits that were set for this run. */
  readonly limits: BudgetLimits | undefined
  readonly tokens: number
  readonly costUsd: number
}

const untouched: ControlHistory = {
  paused: undefined,
  pausedMs: 0,
  limits: undefined,
  tokens: 0,
  costUsd: 0,
}

/** Folds one event, in order; the same object when the event is about something else. */
export function foldControl(
  before: ControlHistory | undefined,
  event: NewRunEvent,
  actor: string | undefined,
): ControlHistory | undefined {
  const control = before ?? untouched
  switch (event.type) {
    case 'run.pause_requested':
      return { ...control, paused: control.paused ?? { by: actor ?? 'somebody', sinceMs: event.timeMs } }
    case 'run.resume_requested': {
      const { paused, pausedMs } = control
      const lastedMs = paused === undefined ? 0 : Math.max(0, event.timeMs - paused.sinceMs)
      return { ...control, paused: undefined, pausedMs: pausedMs + lastedMs }
    }
    case 'run.budget_set': {
      const { time_ms: timeMs, tokens, cost_usd: costUsd } = event.data
      const limits = {
        ...(timeMs === undefined ? {} : { timeMs }),
        ...(tokens === undefined ? {} : { tokens }),
        ...(costUsd === undefined ? {} : { costUsd }),
      }
      return { ...control, limits }
    }
    case 'budget.used': {
      const { tokens = 0, cost_usd: costUsd = 0 } = event.data
      return { ...control, tokens: control.tokens + tokens, costUsd: control.costUsd + costUsd }
    }
    default:
      return before
  }
}

/** A limit that is reached, and what was used of it. */
export type Exceeded = { what: 'time' | 'tokens' | 'cost'; used: number; limit: number; sentence: string }

export type ControlParts = { readonly clock: Pick<EngineClock, 'nowMs'>; readonly timers: Timers }

/** Whether a run may begin anything now, and what keeps it. */
export class RunControl {
  readonly #parts: ControlParts
  readonly #budget: WorkflowBudget | undefined
  #history: ControlHistory
  /** Fires when the active time is used up, while attempts run. */
  #timer: Timer | undefined

  constructor(parts: ControlParts, history: ControlHistory | undefined, budget: WorkflowBudget | undefined) {
    this.#parts = parts
    this.#history = history ?? untouched
    this.#budget = budget
  }

  /** What the log says by now. */
  get history(): ControlHistory {
    return this.#history
  }

  get paused(): ControlHistory['paused'] {
    return this.#history.paused
  }

  get pausedMs(): number {
    return this.#history.pausedMs
  }

  /** What was set for the run over what its workflow says. */
  get limits(): BudgetLimits {
    const { timeMs, tokens, costUsd } = { ...this.#budget, ...this.#history.limits }
    return {
      ...(timeMs === undefined ? {} : { timeMs }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(costUsd === undefined ? {} : { costUsd }),
    }
  }

  get failsWhenExceeded(): boolean {
    return this.#budget?.onExceeded === 'fail'
  }

  fold(event: NewRunEvent, actor: string | undefined): void {
    this.#history = foldControl(this.#history, event, actor) ?? this.#history
  }

  /** The first limit that is reached; `activeMs` is the time in which attempts ran. */
  exceeded(activeMs: number): Exceeded | undefined {
    const { timeMs, tokens, costUsd } = this.limits
    const { tokens: usedTokens, costUsd: usedUsd } = this.#history
    if (timeMs !== undefined && activeMs >= timeMs) {
      return { what: 'time', used: activeMs, limit: timeMs, sentence: `It was active for its ${timeMs} ms.` }
    }
    if (tokens !== undefined && usedTokens >= tokens) {
      const sentence = `It has used ${usedTokens} of ${tokens} tokens.`
      return { what: 'tokens', used: usedTokens, limit: tokens, sentence }
    }
    if (costUsd !== undefined && usedUsd >= costUsd) {
      const sentence = `It has used ${dollars(usedUsd)} of ${dollars(costUsd)}.`
      return { what: 'cost', used: usedUsd, limit: costUsd, sentence }
    }
    return undefined
  }

  /** Attempts of the run begin to run, or none does any more: its time is limited while some do. */
  onActive(run: LiveRun, isActive: boolean): void {
    this.#timer?.cancel()
    const { timeMs } = this.limits
    if (!isActive || timeMs === undefined) return
    const { clock, timers } = this.#parts
    const nowMs = clock.nowMs()
    const dueMs = nowMs + Math.max(0, timeMs - run.steps.activeMs(nowMs))
    this.#timer = timers.at(dueMs, () => {
      run
        .act((hands, done) => {
          this.enforce(run, hands)
          done()
        })
        .catch(() => {})
    })
  }

  /** Ends the run if its workflow wants that of one that has reached a limit. */
  enforce(run: LiveRun, hands: RunHands): void {
    if (!this.failsWhenExceeded || run.ended || run.cancelReason !== undefined) return
    const exceeded = this.exceeded(run.steps.activeMs(this.#parts.clock.nowMs()))
    if (exceeded === undefined) return
    const error = { code: 'budget_exceeded', message: `The run has reached its budget. ${exceeded.sentence}` }
    hands.end({ type: 'run.failed', data: { reason: 'budget_exceeded', error } })
  }

  close(): void {
    this.#timer?.cancel()
  }

  /** Why no attempt may begin; undefined when it may. */
  held(activeMs: number): Shown | undefined {
    const { paused } = this
    if (paused !== undefined) return { reason: 'paused', detail: `Paused by ${paused.by}.` }
    const exceeded = this.exceeded(activeMs)
    return exceeded === undefined ? undefined : { reason: 'budget_exceeded', detail: exceeded.sentence }
  }
}

const dollars = (usd: number) => `$${usd.toFixed(usd < 1 ? 4 : 2)}`
