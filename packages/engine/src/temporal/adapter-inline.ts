import type { Json } from '@kyros/contract/json'
import { workflowInfo } from '@temporalio/workflow'
import { inlineLimits, type StartedWith, type StepMeta } from './start-facts.ts'

type Attempt = { command: number; attempt: number; mode?: string | undefined; startToCloseMs: number }

/** A first workflow task that nothing came before ends its history with its third event. */
const firstTaskLength = 3

/**
 * Which attempts of inline steps are local activities: done by the worker that has the run, within its workflow task.
 * The choice rests on what the definition asked for alone, so that a replay comes to the same. One at a time: what the
 * core gives to a definition one after the other while it runs, it gives at once in a replay. And no longer, one after
 * the other, than a workflow task stays open.
 */
export class InlineSteps {
  readonly #recorded: ReadonlySet<string> | undefined
  #spentMs = 0
  #running: { input: Json; meta: StepMeta } | undefined
  /** How long the history was at the first workflow task that was no replay. */
  #freshLength: number | undefined

  constructor({ live, inline = [] }: StartedWith) {
    this.#recorded = live === undefined ? new Set(inline) : undefined
    const { unsafe, historyLength } = workflowInfo()
    if (!unsafe.isReplaying) this.#freshLength = historyLength
  }

  /** The attempt that is under way. */
  get running(): { input: Json; meta: StepMeta } | undefined {
    return this.#running
  }

  admits({ command, attempt, mode, startToCloseMs }: Attempt): boolean {
    if (this.#recorded !== undefined) return this.#recorded.has(`${command}/${attempt}`)
    if (mode !== 'inline' || startToCloseMs > inlineLimits.longestMs || this.#running !== undefined)
      return false
    return this.#spentMs + startToCloseMs + inlineLimits.marginMs <= inlineLimits.taskMs
  }

  /** What the worker is told of it. `doubtful`: its worker may have died in it before, so it is better done elsewhere. */
  begin(input: Json, meta: StepMeta): StepMeta {
    const told = this.#isDoubtful() ? { ...meta, doubtful: true as const } : meta
    this.#running = { input, meta }
    this.#spentMs += meta.start_to_close_ms + inlineLimits.marginMs
    return told
  }

  end(): void {
    this.#running = undefined
  }

  /** Something came from the cluster: a new workflow task has begun. */
  renew(): void {
    this.#spentMs = 0
  }

  /** A workflow task that was given to another worker before begins with a replay, or has its failure before it. */
  #isDoubtful(): boolean {
    const { unsafe, historyLength } = workflowInfo()
    if (unsafe.isReplaying) return true
    this.#freshLength ??= historyLength
    return historyLength === this.#freshLength && historyLength > firstTaskLength
  }
}
