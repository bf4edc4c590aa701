import type { Json } from '@kyros/contract/json'
import { addSignalId, type History } from './history.ts'
import type { LiveRun } from './live-run.ts'
import { waitsFor } from './run-waits.ts'

/** `stored`: its payload as the log keeps it. */
export type Signal = {
  readonly signal: string
  readonly payload: Json
  readonly stored: Json
  readonly actor: string
  readonly inboxId?: number | undefined
  /** The sender's: what has the same is the same. */
  readonly signalId?: string | undefined
}
type Done = () => void
type Lost = (error: unknown) => void

/** Signals and cancellations of one run, in its turn. */
export class RunInbox {
  /** Messages of other processes that were taken; undefined while there were none. */
  taken: Set<number> | undefined
  /** Signals with an id of their own that were taken; undefined while there were none. */
  signalIds: Set<string> | undefined
  readonly #run: LiveRun

  constructor(run: LiveRun, { inboxIds, signalIds }: Pick<History, 'inboxIds' | 'signalIds'>) {
    this.#run = run
    if (inboxIds.size > 0) this.taken = inboxIds
    if (signalIds.size > 0) this.signalIds = signalIds
  }

  /** True for a message that was taken before; from now on it is. */
  isTaken(inboxId: number | undefined): boolean {
    if (inboxId === undefined) return false
    this.taken ??= new Set()
    const isTaken = this.taken.has(inboxId)
    this.taken.add(inboxId)
    return isTaken
  }

  signal({ signal, payload, stored, actor, inboxId, signalId }: Signal, done: Done, lost: Lost): void {
    if (this.isTaken(inboxId) || this.#isKnown(signalId)) {
      done()
      return
    }
    const data = {
      ...{ signal, payload: stored },
      ...(inboxId === undefined ? {} : { inbox_id: inboxId }),
      ...(signalId === undefined ? {} : { signal_id: signalId }),
    }
    const event = this.#run.push({ type: 'signal.received', actor, data }, done, lost)
    if (stored === payload) this.#run.apply(event)
    else this.#run.apply({ type: 'signal.received', timeMs: event.timeMs, data: { ...data, payload } })
  }

  #isKnown(signalId: string | undefined): boolean {
    if (signalId === undefined) return false
    this.signalIds ??= new Set()
    if (this.signalIds.has(signalId)) return true
    addSignalId(this.signalIds, signalId)
    return false
  }

  cancel(reason: string, actor: string, done: Done, lost: Lost): void {
    const run = this.#run
    // One that was just read again does not know yet that nothing can move it.
    if (run.startedMs !== undefined) waitsFor(run, (detail) => run.block(detail))
    if (run.cancelReason !== undefined) {
      // Its clean-up is blocked as a bug: who asks again does not want to wait for a correction.
      if (run.blocked !== undefined) this.#endCancelled(reason)
      done()
      return
    }
    run.cancelReason = reason
    const event = run.push({ type: 'run.cancel_requested', actor, data: { reason } }, done, lost)
    if (run.startedMs === undefined || run.blocked !== undefined) {
      this.#endCancelled(reason)
      return
    }
    run.apply(event)
    // Behind what the definition does about it: what was held and is not wanted any more must not begin.
    run.post(() => run.letGo())
  }

  #endCancelled(reason: string): void {
    this.#run.stopAll(reason)
    this.#run.finish({ type: 'run.cancelled', data: { reason } })
  }
}
