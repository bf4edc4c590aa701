import type { NewRunEvent } from '@kyros/store/command'
import type { Shown, TimerHistory } from './history.ts'
import type { Journal } from './journal.ts'
import type { Timer, Timers } from './timers.ts'
import type { TimerName } from './workflow-host.ts'

type Row = { command: number; name: string; fireAtMs: number; timer: Timer | undefined }

/** Whose timers they are. */
export type TimersOf = {
  readonly journal: Journal
  /** While it is paused, what falls due waits. */
  readonly held: Shown | undefined
  post(turn: () => void): void
  apply(event: NewRunEvent): void
}

// Most runs have no timer at all.
const noRows: ReadonlyMap<number, Row> = new Map()

/** The durable timers of one run. */
export class RunTimers {
  #rows: Map<number, Row> | undefined
  readonly #timers: Timers
  readonly #run: TimersOf
  /** Commands whose timer the history began. */
  #known: ReadonlyMap<number, TimerHistory> | undefined

  constructor(timers: Timers, run: TimersOf) {
    this.#timers = timers
    this.#run = run
  }

  /** Those that have neither fired nor been cancelled, by command. */
  get rows(): ReadonlyMap<number, Row> {
    return this.#rows ?? noRows
  }

  /**
   * Arms again what the history left running, and fires what was due by `firedByMs`; called before `add` sees the same
   * commands.
   */
  takeUp(history: ReadonlyMap<number, TimerHistory>, firedByMs: number): void {
    if (history.size === 0) return
    this.#known = history
    this.#rows ??= new Map()
    for (const { command, name, fireAtMs, ended } of history.values()) {
      if (ended) continue
      const row = { command, name, fireAtMs, timer: undefined }
      if (fireAtMs > firedByMs) this.#arm(row)
      else this.#rows.set(command, row)
    }
    this.letGo(firedByMs)
  }

  /** A new part of the run begins, in which commands count anew. */
  beginPart(): void {
    this.#known = undefined
  }

  add(asked: { command: number; name: TimerName; durationMs: number }): void {
    const { command, name, durationMs } = asked
    if (this.#known?.has(command)) return
    const timeMs = this.#run.journal.stampMs()
    const fireAtMs = timeMs + durationMs
    const fire_at = new Date(fireAtMs).toISOString()
    this.#run.journal.push({ type: 'timer.started', timeMs, data: { timer: name, command, fire_at } })
    this.#arm({ command, name, fireAtMs, timer: undefined })
  }

  cancel(command: number, runEnded: boolean): void {
    const row = this.rows.get(command)
    if (row === undefined) return
    this.#end(row)
    const data = { timer: row.name, command, ...(runEnded ? { run_ended: true as const } : {}) }
    this.#run.journal.push({ type: 'timer.cancelled', timeMs: this.#run.journal.stampMs(), data })
  }

  cancelAll(): void {
    for (const command of this.rows.keys()) this.cancel(command, true)
  }

  /** Fires what fell due while nothing was to fire, in the order of its times. */
  letGo(nowMs: number): void {
    const due = [...this.rows.values()].filter(({ fireAtMs }) => fireAtMs <= nowMs)
    due.sort((a, b) => a.fireAtMs - b.fireAtMs)
    for (const row of due) this.#run.post(() => this.#fire(row))
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
    this.#rows ??= new Map()
    this.#rows.set(row.command, row)
    row.timer = this.#timers.at(row.fireAtMs, () => this.#run.post(() => this.#fire(row)))
  }

  #fire(row: Row): void {
    if (this.rows.get(row.command) !== row || this.#run.held?.reason === 'paused') return
    this.#end(row)
    const timeMs = this.#run.journal.stampMs()
    const data = { timer: row.name, command: row.command }
    const event: NewRunEvent = { type: 'timer.fired', timeMs, data }
    this.#run.journal.push(event)
    this.#run.apply(event)
  }

  #end(row: Row): void {
    row.timer?.cancel()
    this.#rows?.delete(row.command)
  }
}
