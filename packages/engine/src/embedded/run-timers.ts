import type { NewRunEvent } from '@kyros/store/command'
import type { TimerHistory } from './history.ts'
import type { Journal } from './journal.ts'
import type { Timer, Timers } from './timers.ts'
import type { TimerName } from './workflow-host.ts'

type Row = { command: number; name: string; fireAtMs: number; ended: boolean; timer?: Timer }

/** The durable timers of one run. */
export class RunTimers {
  readonly rows = new Map<number, Row>()
  readonly #timers: Timers
  readonly #journal: Journal
  readonly #post: (turn: () => Promise<void> | void) => void
  readonly #onFired: (event: NewRunEvent) => Promise<void>

  constructor(options: {
    timers: Timers
    journal: Journal
    post: (turn: () => Promise<void> | void) => void
    onFired: (event: NewRunEvent) => Promise<void>
  }) {
    this.#timers = options.timers
    this.#journal = options.journal
    this.#post = options.post
    this.#onFired = options.onFired
  }

  /** Arms again what the history left running; called before `add` sees the same commands. */
  takeUp(history: ReadonlyMap<number, TimerHistory>): void {
    for (const { command, name, fireAtMs, ended } of history.values()) {
      const row: Row = { command, name, fireAtMs, ended }
      this.rows.set(command, row)
      if (!ended) this.#arm(row)
    }
  }

  add(asked: { command: number; name: TimerName; durationMs: number }): void {
    const { command, name, durationMs } = asked
    if (this.rows.has(command)) return
    const timeMs = this.#journal.stampMs()
    const row: Row = { command, name, fireAtMs: timeMs + durationMs, ended: false }
    const fire_at = new Date(row.fireAtMs).toISOString()
    this.#journal.push({ type: 'timer.started', timeMs, data: { timer: name, command, fire_at } })
    this.rows.set(command, row)
    this.#arm(row)
  }

  cancel(command: number, runEnded: boolean): void {
    const row = this.rows.get(command)
    if (row === undefined || row.ended) return
    this.#end(row)
    const data = { timer: row.name, command, ...(runEnded ? { run_ended: true as const } : {}) }
    this.#journal.push({ type: 'timer.cancelled', timeMs: this.#journal.stampMs(), data })
  }

  cancelAll(): void {
    for (const command of this.rows.keys()) this.cancel(command, true)
  }

  close(): void {
    for (const row of this.rows.values()) row.timer?.cancel()
  }

  /** When the first running timer fires. */
  get nextMs(): number | undefined {
    let next: number | undefined
    for (const row of this.rows.values()) {
      if (!row.ended && (next === undefined || row.fireAtMs < next)) next = row.fireAtMs
    }
    return next
  }

  #arm(row: Row): void {
    row.timer = this.#timers.at(row.fireAtMs, () => this.#post(() => this.#fire(row)))
  }

  async #fire(row: Row): Promise<void> {
    if (row.ended) return
    this.#end(row)
    const event: NewRunEvent = {
      type: 'timer.fired',
      timeMs: this.#journal.stampMs(),
      data: { timer: row.name, command: row.command },
    }
    this.#journal.push(event)
    await this.#onFired(event)
  }

  #end(row: Row): void {
    row.ended = true
    row.timer?.cancel()
  }
}
