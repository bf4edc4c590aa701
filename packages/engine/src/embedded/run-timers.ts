import type { NewRunEvent } from '@kyros/store/command'
import type { TimerHistory } from './history.ts'
import type { Journal } from './journal.ts'
import type { Timer, Timers } from './timers.ts'
import type { TimerName } from './workflow-host.ts'

type Row = { command: number; name: string; fireAtMs: number; timer: Timer | undefined }

/** The durable timers of one run. */
export class RunTimers {
  /** Those that have neither fired nor been cancelled, by command. */
  readonly rows = new Map<number, Row>()
  readonly #timers: Timers
  readonly #journal: Journal
  readonly #post: (turn: () => void) => void
  readonly #holds: () => boolean
  readonly #onFired: (event: NewRunEvent) => void
  /** Commands whose timer the history began. */
  #known: ReadonlyMap<number, TimerHistory> | undefined

  constructor(options: {
    timers: Timers
    journal: Journal
    post: (turn: () => void) => void
    /** True while nothing may fire: what falls due waits. */
    holds: () => boolean
    onFired: (event: NewRunEvent) => void
  }) {
    this.#timers = options.timers
    this.#journal = options.journal
    this.#post = options.post
    this.#holds = options.holds
    this.#onFired = options.onFired
  }

  /** Arms again what the history left running; called before `add` sees the same commands. */
  takeUp(history: ReadonlyMap<number, TimerHistory>): void {
    if (history.size === 0) return
    this.#known = history
    for (const { command, name, fireAtMs, ended } of history.values()) {
      if (!ended) this.#arm({ command, name, fireAtMs, timer: undefined })
    }
  }

  add(asked: { command: number; name: TimerName; durationMs: number }): void {
    const { command, name, durationMs } = asked
    if (this.#known?.has(command)) return
    const timeMs = this.#journal.stampMs()
    const fireAtMs = timeMs + durationMs
    const fire_at = new Date(fireAtMs).toISOString()
    this.#journal.push({ type: 'timer.started', timeMs, data: { timer: name, command, fire_at } })
    this.#arm({ command, name, fireAtMs, timer: undefined })
  }

  cancel(command: number, runEnded: boolean): void {
    const row = this.rows.get(command)
    if (row === undefined) return
    this.#end(row)
    const data = { timer: row.name, command, ...(runEnded ? { run_ended: true as const } : {}) }
    this.#journal.push({ type: 'timer.cancelled', timeMs: this.#journal.stampMs(), data })
  }

  cancelAll(): void {
    for (const command of this.rows.keys()) this.cancel(command, true)
  }

  /** Fires what fell due while nothing was to fire, in the order of its times. */
  letGo(nowMs: number): void {
    const due = [...this.rows.values()].filter(({ fireAtMs }) => fireAtMs <= nowMs)
    due.sort((a, b) => a.fireAtMs - b.fireAtMs)
    for (const row of due) this.#post(() => this.#fire(row))
  }

  close(): void {
    for (const row of this.rows.values()) row.timer?.cancel()
  }

  /** When the first running timer fires. */
  get nextMs(): number | undefined {
    let next: number | undefined
    for (const { fireAtMs } of this.rows.values()) if (next === undefined || fireAtMs < next) next = fireAtMs
    return next
  }

  #arm(row: Row): void {
    this.rows.set(row.command, row)
    row.timer = this.#timers.at(row.fireAtMs, () => this.#post(() => this.#fire(row)))
  }

  #fire(row: Row): void {
    if (this.rows.get(row.command) !== row || this.#holds()) return
    this.#end(row)
    const timeMs = this.#journal.stampMs()
    const data = { timer: row.name, command: row.command }
    const event: NewRunEvent = { type: 'timer.fired', timeMs, data }
    this.#journal.push(event)
    this.#onFired(event)
  }

  #end(row: Row): void {
    row.timer?.cancel()
    this.rows.delete(row.command)
  }
}
