import type { Command, InboxMessage, NewRunEvent } from '@kyros/store/command'
import type { Violation } from './model.ts'
import { isEnd } from './model-log.ts'
import type { Scheduler } from './scheduler.ts'
import type { ObservedEffect } from './simulated-steps.ts'

/** A command that the store has carried out, with its answer. */
export type Written = { command: Command; result: unknown }

/** What is known of a world without asking its engines. */
export class WorldRecord {
  /** Runs on disk, by id. */
  readonly runs = new Map<string, { runSeq: number; ended: boolean; copied: number }>()
  readonly effects: ObservedEffect[] = []
  readonly bugs: string[] = []
  readonly stuck: Violation[] = []
  onInbox: (message: InboxMessage) => void = () => {}
  onToken: (runId: string, token: string) => void = () => {}
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Follows what is on disk, command by command. */
  onApplied(written: readonly Written[]): void {
    for (const { command, result } of written) {
      if (command.kind === 'put_inbox') this.onInbox(command.message)
      for (const { runId, events } of appendsOf(command, result)) {
        const run = this.runs.get(runId) ?? { runSeq: 0, ended: false, copied: copiedIn(events) }
        this.runs.set(runId, run)
        run.runSeq += events.length
        run.ended ||= events.some(isEnd)
      }
    }
  }

  onBug(message: string): void {
    this.#scheduler.note(`bug: ${message.split('\n')[0]}`)
    this.bugs.push(message)
  }

  get allEnded(): boolean {
    for (const { ended } of this.runs.values()) if (!ended) return false
    return true
  }

  runSeqOf = (runId: string): number | undefined => this.runs.get(runId)?.runSeq
}

/** A fork begins with what it takes over, in the commit that makes it. */
const copiedIn = (events: readonly NewRunEvent[]) =>
  events.some(({ type }) => type === 'run.forked') ? events.length : 0

/** The events that a command has put into logs of runs. */
function appendsOf(command: Command, result: unknown): { runId: string; events: readonly NewRunEvent[] }[] {
  if (command.kind === 'append_many') {
    const outcomes: unknown[] = Array.isArray(result) ? result : []
    return command.appends.filter((_, index) => !isFailure(outcomes[index]))
  }
  if (!('events' in command)) return []
  // The answer to a key that was used before: nothing was written.
  if (typeof result === 'object' && result !== null && 'replayed' in result) return []
  return [{ runId: 'run' in command ? command.run.id : command.runId, events: command.events }]
}

const isFailure = (outcome: unknown) => typeof outcome === 'object' && outcome !== null && 'error' in outcome
