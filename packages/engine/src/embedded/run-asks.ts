import type { AsksHistory } from './asks-history.ts'
import type { EngineParts } from './engine-parts.ts'
import { RunChildren } from './run-children.ts'
import { RunUpdates } from './run-updates.ts'
import { RunWaitpoints, type Waits } from './run-waitpoints.ts'
import type { Command } from './workflow-command.ts'

type Asked = Exclude<Command, { kind: 'step' | 'timer' | 'cancel_step' | 'cancel_timer' }>

/** What a run asks of the outside beside steps and timers, and what it is asked. Made when it first asks for such. */
export class RunAsks {
  readonly waitpoints: RunWaitpoints
  readonly children: RunChildren
  readonly updates: RunUpdates
  readonly #waits: Waits

  constructor(parts: Pick<EngineParts, 'timers' | 'children'>, waits: Waits) {
    this.waitpoints = new RunWaitpoints(parts.timers, waits)
    this.children = new RunChildren(parts.children, waits)
    this.updates = new RunUpdates(waits)
    this.#waits = waits
  }

  takeUp(history: AsksHistory): void {
    this.waitpoints.takeUp(history)
    this.children.takeUp(history)
    this.updates.takeUp(history)
  }

  obey(asked: Asked): void {
    switch (asked.kind) {
      case 'waitpoint':
        if (!this.#isRecorded(asked.command)) this.waitpoints.add(asked)
        return
      case 'child':
        this.children.add(asked)
        return
      case 'cancel_waitpoint':
        this.waitpoints.cancel(asked.command, asked.runEnded ?? false)
        return
      case 'cancel_child':
        this.children.cancel(asked.command, asked.runEnded ?? false)
        return
      case 'update_result':
        this.updates.settle(asked)
        return
      case 'value': {
        const { name, command, value } = asked
        if (!this.#isRecorded(command))
          this.#waits.push({ type: 'value.recorded', data: { name, command, value } })
        return
      }
      case 'attributes': {
        const { command, attributes } = asked
        if (!this.#isRecorded(command))
          this.#waits.push({ type: 'attributes.set', data: { command, attributes } })
      }
    }
  }

  /** Whether the history holds the command already. */
  #isRecorded(command: number): boolean {
    return this.#waits.history.recorded.has(command)
  }

  cancelAll(): void {
    this.waitpoints.cancelAll()
    this.children.cancelAll()
  }

  /** A new part of the run begins, in which commands count anew. */
  beginPart(): void {
    this.children.forget()
  }

  letGo(nowMs: number): void {
    this.waitpoints.letGo(nowMs)
  }

  close(reason: string): void {
    this.waitpoints.close()
    this.updates.close(new Error(reason))
  }
}
