import type { SkippedItem } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { counted } from './quantity.ts'

const intervalMs = 1_000
const logEvery = 5
const maxReasons = 5

/** How far a step is: a sentence for a person, and its numbers. */
export type Progress = { readonly says: string; readonly done: number; readonly total?: number }

/** Passes progress on as heartbeats, at most one a second, and every few of them as a log line. */
export class ProgressReport {
  readonly #step: StepContext
  // A step that ends within the first second needs no word on how far it is.
  #lastAtMs = performance.now()
  #sent = 0

  constructor(step: StepContext) {
    this.#step = step
  }

  report({ says, done, total }: Progress): void {
    // Monotonic, and only to thin out messages: no result depends on it.
    const nowMs = performance.now()
    if (nowMs - this.#lastAtMs < intervalMs) return
    this.#lastAtMs = nowMs
    this.#step.heartbeat(total === undefined ? { what: says, done } : { what: says, done, total })
    if (this.#sent++ % logEvery === 0) this.#step.log('info', says)
  }
}

/** What was left out and why, as the end of a sentence; empty when nothing was. */
export function leftOutSentence(skipped: readonly SkippedItem[]): string {
  if (skipped.length === 0) return ''
  const reasons = skipped
    .slice(0, maxReasons)
    .map(({ what, why, count }) => `${what}${count === 1 ? '' : ` ×${count.toLocaleString('en')}`}: ${why}`)
  const rest = skipped.length - reasons.length
  return ` Left out: ${reasons.join('; ')}${rest > 0 ? `; and ${counted(rest, 'more kind')}` : ''}.`
}
