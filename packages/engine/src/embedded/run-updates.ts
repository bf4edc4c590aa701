import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { AsksHistory } from './asks-history.ts'
import type { Waits } from './run-waitpoints.ts'
import type { Command, UpdateEnd } from './workflow-command.ts'

export type Asker = {
  answer(end: UpdateEnd): void
  /** It may not be done; nothing was recorded. */
  refused(error: ErrorData): void
  /** It is accepted, and nothing of it is done until somebody helps the run. */
  blocked?(detail: string): void
  /** This process will not know the answer. */
  lost(error: unknown): void
}

// Who asks again does so soon.
const maxKept = 1000

/** The updates of one run, by the ids of their senders: the same id again is answered the same. */
export class RunUpdates {
  /** Undefined while not answered; of those that were, the last. */
  readonly #ends = new Map<string, UpdateEnd | undefined>()
  readonly #askers = new Map<string, Asker[]>()
  readonly #waits: Waits

  constructor(waits: Waits) {
    this.#waits = waits
  }

  takeUp(history: AsksHistory): void {
    for (const [updateId, end] of history.updates) this.#ends.set(updateId, end)
  }

  get underWay(): number {
    let count = 0
    for (const end of this.#ends.values()) if (end === undefined) count += 1
    return count
  }

  /** True while somebody in this process waits for an answer. */
  get isAwaited(): boolean {
    return this.#askers.size > 0
  }

  /** Does not wait for the answer any more. */
  leave(updateId: string, asker: Asker): void {
    const left = this.#askers.get(updateId)?.filter((one) => one !== asker) ?? []
    if (left.length === 0) this.#askers.delete(updateId)
    else this.#askers.set(updateId, left)
  }

  /**
   * Asks the definition for a change. `stored` goes into the log. `refusal` is asked only for an id that is new, and
   * what it refuses leaves no trace.
   */
  ask(
    update: {
      name: string
      updateId: string
      payload: Json
      stored: Json
      actor: string
      refusal: () => ErrorData | undefined
    },
    asker: Asker,
  ): void {
    const { name, updateId, payload, stored, actor } = update
    const end = this.#ends.get(updateId)
    if (end !== undefined) {
      this.#onDisk(asker, () => asker.answer(end))
      return
    }
    if (this.#ends.has(updateId)) {
      this.#await(updateId, asker)
      return
    }
    const refusal = update.refusal()
    if (refusal !== undefined) {
      asker.refused(refusal)
      return
    }
    this.#ends.set(updateId, undefined)
    this.#await(updateId, asker)
    const lost = (error: unknown) => this.#lose(updateId, error)
    const data = { update: name, update_id: updateId, payload: stored }
    const event = this.#waits.push({ type: 'update.accepted', actor, data }, undefined, lost)
    this.#waits.apply({ type: 'update.accepted', timeMs: event.timeMs, data: { ...data, payload } })
  }

  /** The definition's answer; recorded once. */
  settle({ update, updateId, end, stored }: Extract<Command, { kind: 'update_result' }>): void {
    if (this.#ends.get(updateId) !== undefined) return
    this.#ends.set(updateId, end)
    this.#forgetOldest()
    const tell = () => {
      for (const asker of this.#taken(updateId)) asker.answer(end)
    }
    const lost = (error: unknown) => this.#lose(updateId, error)
    const base = { update, update_id: updateId }
    if (end.kind === 'completed') {
      this.#waits.push(
        { type: 'update.completed', data: { ...base, result: stored ?? end.result } },
        tell,
        lost,
      )
    } else this.#waits.push({ type: 'update.failed', data: { ...base, error: end.error } }, tell, lost)
  }

  /** Tells everybody who waits that the run is blocked, once what they asked for is on disk. */
  tellBlocked(detail: string): void {
    for (const asker of [...this.#askers.values()].flat()) this.#onDisk(asker, () => asker.blocked?.(detail))
  }

  /** Nobody will answer any more in this process. */
  close(error: unknown): void {
    for (const updateId of this.#askers.keys()) this.#lose(updateId, error)
  }

  /** What is said at once rests on what was done before, which may not be on disk yet. */
  #onDisk(asker: Asker, say: () => void): void {
    this.#waits.journal.whenWritten(say, (error) => asker.lost(error))
  }

  #forgetOldest(): void {
    if (this.#ends.size <= maxKept) return
    for (const [updateId, end] of this.#ends) {
      if (end === undefined) continue
      this.#ends.delete(updateId)
      return
    }
  }

  #await(updateId: string, asker: Asker): void {
    const askers = this.#askers.get(updateId)
    if (askers === undefined) this.#askers.set(updateId, [asker])
    else askers.push(asker)
  }

  #taken(updateId: string): Asker[] {
    const askers = this.#askers.get(updateId) ?? []
    this.#askers.delete(updateId)
    return askers
  }

  #lose(updateId: string, error: unknown): void {
    for (const asker of this.#taken(updateId)) asker.lost(error)
  }
}
