import type { Json } from '@kyros/contract/json'
import type { LiveRun } from './live-run.ts'
import { waitsFor } from './run-waits.ts'

/** `stored`: its payload as the log keeps it. */
type Signal = { signal: string; payload: Json; stored: Json; actor: string; inboxId: number | undefined }
type Done = () => void
type Lost = (error: unknown) => void

/** Signals and cancellations of one run, in its turn. */
export class RunInbox {
  /** Messages of other processes that were taken; undefined while there were none. */
  taken: Set<number> | undefined
  readonly #run: LiveRun

  constructor(run: LiveRun, taken: Set<number>) {
    this.#run = run
    if (taken.size > 0) this.taken = taken
  }

  /** True for a message that was taken before; from now on it is. */
  isTaken(inboxId: number | undefined): boolean {
    if (inboxId === undefined) return false
    this.taken ??= new Set()
    const isTaken = this.taken.has(inboxId)
    this.taken.add(inboxId)
    return isTaken
  }

  signal({ signal, payload, stored, actor, inboxId }: Signal, done: Done, lost: Lost): void {
    if (this.isTaken(inboxId)) {
      done()
      return
    }
    const data = { signal, payload: stored, ...(inboxId === undefined ? {} : { inbox_id: inboxId }) }
    const event = this.#run.push({ type: 'signal.received', actor, data }, done, lost)
    if (stored === payload) this.#run.apply(event)
    else this.#run.apply({ type: 'signal.received', timeMs: event.timeMs, data: { ...data, payload } })
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
