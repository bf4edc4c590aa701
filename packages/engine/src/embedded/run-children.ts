import { randomBytes } from 'node:crypto'
import type { ParentClose } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { AsksHistory } from './asks-history.ts'
import type { ChildEnd, ChildRuns } from './child-runs.ts'
import type { Waits } from './run-waitpoints.ts'
import type { Command } from './workflow-command.ts'

type Asked = Extract<Command, { kind: 'child' }>
type Row = { readonly command: number; readonly workflow: string; readonly runId: string } & Pick<
  Asked,
  'parentClose'
>

/** The children of one run that it waits for. */
export class RunChildren {
  readonly rows = new Map<number, Row>()
  /** Those that are not wanted any more, until they were told. */
  readonly leaving = new Map<string, ParentClose>()
  readonly #children: ChildRuns
  readonly #waits: Waits
  /** Children that the history began: started again only if they never came to be. */
  #known: AsksHistory['children'] | undefined

  constructor(children: ChildRuns, waits: Waits) {
    this.#children = children
    this.#waits = waits
  }

  takeUp(history: AsksHistory): void {
    this.#known = history.children
    // Our record of it and the word to the child are two things, between which a process may have died.
    for (const { runId, parentClose, state } of history.children.values()) {
      if (state === 'cancelled') this.#leave(runId, parentClose)
    }
    for (const { run_id, parent_close } of history.leaving) this.#leave(run_id, parent_close)
  }

  add(asked: Asked): void {
    const { command, workflow, key, parentClose } = asked
    const known = this.#known?.get(command)
    if (known !== undefined) {
      if (known.state !== 'open') return
      this.rows.set(command, { command, workflow, runId: known.runId, parentClose })
      this.#begin(asked, known.runId)
      return
    }
    const runId = uuidv7(this.#waits.journal.stampMs(), randomBytes(10))
    const data = { child: workflow, key, command, run_id: runId, parent_close: parentClose }
    this.rows.set(command, { command, workflow, runId, parentClose })
    this.#waits.push({ type: 'child.started', data }, () => this.#begin(asked, runId))
  }

  /** What is recorded exists: the child is committed, unless it was. */
  #begin(asked: Asked, runId: string): void {
    const { command, workflow, parentClose, input, timeoutSeconds, key } = asked
    const { facts, parent } = this.#waits
    const depth = (parent === undefined ? 0 : (parent.depth ?? 1)) + 1
    const link = { run_id: facts.runId, command, parent_close: parentClose, depth }
    this.#children.begin({ parent: facts, link, runId, workflow, key, input, timeoutSeconds })
  }

  /** The child has ended. `stored`: its result as the log keeps it. */
  ended(command: number, runId: string, end: ChildEnd, stored: Json): void {
    const row = this.rows.get(command)
    if (row === undefined || row.runId !== runId) return
    this.rows.delete(command)
    const base = { child: row.workflow, command, run_id: runId }
    if (end.kind === 'failed') {
      this.#waits.apply(this.#waits.push({ type: 'child.failed', data: { ...base, error: end.error } }))
      return
    }
    const { timeMs } = this.#waits.push({ type: 'child.completed', data: { ...base, result: stored } })
    this.#waits.apply({ type: 'child.completed', timeMs, data: { ...base, result: end.result } })
  }

  cancel(command: number, runEnded: boolean): void {
    const row = this.rows.get(command)
    if (row === undefined) return
    this.rows.delete(command)
    const { workflow: child, runId: run_id, parentClose } = row
    const data = { child, command, run_id, ...(runEnded ? { run_ended: true as const } : {}) }
    this.leaving.set(run_id, parentClose)
    this.#waits.push({ type: 'child.cancelled', data }, () => this.#leave(run_id, parentClose))
  }

  #leave(runId: string, parentClose: ParentClose): void {
    this.leaving.set(runId, parentClose)
    this.#children.close(runId, parentClose, () => this.leaving.delete(runId))
  }

  cancelAll(): void {
    for (const command of this.rows.keys()) this.cancel(command, true)
  }

  /** A new part of the run: its commands are others. */
  forget(): void {
    this.#known = undefined
  }
}
