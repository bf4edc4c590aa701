import type { Event } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { OnConflict } from './limits.ts'
import { checkCalls } from './model-calls.ts'
import { checkFold } from './model-fold.ts'
import { checkLog } from './model-log.ts'

/** What a caller was told: `unknown` when the answer was an outage, so that it may have happened or not. */
export type Told = 'acknowledged' | 'unknown' | 'refused'

/** Something that somebody asked of a run. */
export type Asked = {
  readonly told: Told
  /** Accepted when it was stored in the inbox, and dropped if the run ended before it was drained. */
  readonly byInbox?: boolean
}

/** A signal that somebody sent. Its payload must be unlike that of every other signal to the run. */
export type SentSignal = Asked & { readonly signal: string; readonly payload: Json }

/** One call of a step's implementation, as the outside world saw it begin. */
export type Effect = {
  readonly key: string
  readonly attempt: number
  /** Last `run_seq` of the run that was on disk when the call began, where the observer knows it. */
  readonly afterRunSeq?: number
  /** What the call returned, once it did; absent when it failed, was cut off, or nobody looked. */
  readonly output?: Json
}

/** All that is known of one run from outside, at a moment when nothing of it is under way. */
export type ObservedRun = {
  readonly runId: string
  /** The run's whole log, in order, as `store.events.ofRun` gives it. */
  readonly events: readonly Event[]
  /** The projection, compared with the fold of the log. */
  readonly record?: { readonly status: string; readonly run_seq: number; readonly steps_completed: number }
  readonly start?: Told
  readonly signals?: readonly SentSignal[]
  readonly cancels?: readonly Asked[]
  readonly pauses?: readonly Asked[]
  /** Answers to waitpoints of the run, each with a payload of its own. */
  readonly answers?: readonly (Asked & { readonly payload: Json })[]
  /** Updates by their ids, with the result that was told. */
  readonly updates?: readonly (Asked & { readonly updateId: string; readonly result?: Json })[]
  /** Every call of a step of this run, in any order; left out: calls were not observed. */
  readonly effects?: readonly Effect[]
  /** Nothing hinders the run any more, so that one without an end is lost. */
  readonly mustHaveEnded?: boolean
  /** So many events at the beginning were taken over from another run: they happened there. */
  readonly copied?: number
  /** How far a clock of the engine may have been set back: so much a retry or timer may seem early. Default: 0. */
  readonly clocksGoBackMs?: number
  /** What its workflow does with one run more than it allows. Left out: it allows any number. */
  readonly onConflict?: OnConflict | undefined
  /** Whether the step or timer may begin although the run was asked to stop. Left out: not looked at. */
  readonly isShielded?: (key: string) => boolean
}

export type Violation = {
  readonly runId: string
  /** `lost`: what was promised is not there. `doubled`: it is there twice. `wrong`: any other rule is broken. */
  readonly kind: 'lost' | 'doubled' | 'wrong'
  readonly rule: string
  readonly detail: string
}

/** Notes a broken rule. */
export type Report = (kind: Violation['kind'], rule: string, detail: string) => void

/**
 * Compares what is known of a run with what the engine promises; an empty answer means that nothing is wrong. Pure.
 *
 * - The log: dense `run_seq`, growing `seq`, times that do not go back, `run.created` first, nothing after the end,
 *   legal steps of every step, timer, waitpoint, child and update, attempts numbered and bounded by the policy, retries
 *   and timers not early, no work that is left open at the end.
 * - The projection equals the fold of the log.
 * - The calls: an acknowledged start, signal or cancel is there, nothing that was sent once is there twice, what was
 *   refused is not there.
 * - The effects: an implementation is called at most once for each `step.started` on disk, never after its step ended,
 *   and what `step.completed` says was returned by such a call.
 */
export function checkRun(observed: ObservedRun): Violation[] {
  const { runId } = observed
  const violations: Violation[] = []
  const report: Report = (kind, rule, detail) => void violations.push({ runId, kind, rule, detail })
  if (observed.events.length === 0) {
    if (observed.start === 'acknowledged')
      report('lost', 'start', 'The start was acknowledged; there is no run.')
    return violations
  }
  checkLog(observed, report)
  checkFold(observed, report)
  checkCalls(observed, report)
  return violations
}
