import type { ParentLink } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { AsksHistory } from './asks-history.ts'
import type { History, Shown } from './history.ts'
import type { Journal } from './journal.ts'
import type { RunFacts } from './run-facts.ts'
import type { Timer, Timers } from './timers.ts'
import type { Command } from './workflow-command.ts'

type Row = {
  readonly command: number
  readonly name: string
  readonly title: string | undefined
  readonly expiresAtMs: number | undefined
  timer: Timer | undefined
}

/** What the waits of a run need of it. */
export type Waits = {
  readonly facts: RunFacts
  /** Of a child: whose. */
  readonly parent: ParentLink | undefined
  /** While it is paused, what falls due waits. */
  readonly held: Shown | undefined
  /** What replay compares with; empty once the run has caught up. */
  readonly history: History
  readonly journal: Pick<Journal, 'stampMs' | 'whenWritten'>
  push(
    event: Pick<NewRunEvent, 'type' | 'data'> & { actor?: string | undefined },
    whenDurable?: () => void,
    whenLost?: (error: unknown) => void,
  ): NewRunEvent
  /** Lets the definition see an event. */
  apply(event: NewRunEvent): void
  post(turn: () => void): void
}

/** The questions of one run that nobody has answered yet. */
export class RunWaitpoints {
  readonly rows = new Map<number, Row>()
  readonly #timers: Timers
  readonly #waits: Waits

  constructor(timers: Timers, waits: Waits) {
    this.#timers = timers
    this.#waits = waits
  }

  takeUp(history: AsksHistory): void {
    for (const [command, { name, title, expiresAtMs, state }] of history.waitpoints) {
      if (state === 'open') this.#open({ command, name, title, expiresAtMs, timer: undefined })
    }
  }

  add({ command, name, title, timeoutMs }: Extract<Command, { kind: 'waitpoint' }>): void {
    const expiresAtMs = timeoutMs === undefined ? undefined : this.#waits.journal.stampMs() + timeoutMs
    const data = {
      ...{ waitpoint: name, command },
      ...(title === undefined ? {} : { title }),
      ...(expiresAtMs === undefined ? {} : { expires_at: new Date(expiresAtMs).toISOString() }),
    }
    this.#waits.push({ type: 'waitpoint.created', data })
    this.#open({ command, name, title, expiresAtMs, timer: undefined })
  }

  cancel(command: number, runEnded: boolean): void {
    const row = this.#close(command)
    if (row === undefined) return
    const data = { waitpoint: row.name, command, ...(runEnded ? { run_ended: true as const } : {}) }
    this.#waits.push({ type: 'waitpoint.cancelled', data })
  }

  cancelAll(): void {
    for (const command of this.rows.keys()) this.cancel(command, true)
  }

  /** Answers the question. `stored` goes into the log, which keeps large payloads beside it. False: it is not open. */
  complete(
    answer: { command: number; payload: Json; stored: Json; actor: string | undefined; inboxId?: number },
    done: () => void,
    lost: (error: unknown) => void,
  ): boolean {
    const { command, payload, stored, actor, inboxId } = answer
    const row = this.#close(command)
    if (row === undefined) return false
    const data = {
      ...{ waitpoint: row.name, command, payload: stored },
      ...(inboxId === undefined ? {} : { inbox_id: inboxId }),
    }
    const event = this.#waits.push({ type: 'waitpoint.completed', actor, data }, done, lost)
    this.#waits.apply({ type: 'waitpoint.completed', timeMs: event.timeMs, data: { ...data, payload } })
    return true
  }

  /** Expires what fell due while nothing was to. */
  letGo(nowMs: number): void {
    for (const row of this.rows.values()) {
      if ((row.expiresAtMs ?? Infinity) <= nowMs) this.#waits.post(() => this.#expire(row))
    }
  }

  /** When the first of them expires. */
  get nextMs(): number | undefined {
    let next: number | undefined
    for (const { expiresAtMs } of this.rows.values()) {
      if (expiresAtMs !== undefined && (next === undefined || expiresAtMs < next)) next = expiresAtMs
    }
    return next
  }

  close(): void {
    for (const row of this.rows.values()) row.timer?.cancel()
  }

  #open(row: Row): void {
    this.rows.set(row.command, row)
    if (row.expiresAtMs === undefined) return
    row.timer = this.#timers.at(row.expiresAtMs, () => this.#waits.post(() => this.#expire(row)))
  }

  #expire(row: Row): void {
    if (this.rows.get(row.command) !== row || this.#waits.held?.reason === 'paused') return
    this.#close(row.command)
    const data = { waitpoint: row.name, command: row.command }
    this.#waits.apply(this.#waits.push({ type: 'waitpoint.expired', data }))
  }

  #close(command: number): Row | undefined {
    const row = this.rows.get(command)
    this.rows.delete(command)
    row?.timer?.cancel()
    return row
  }
}
