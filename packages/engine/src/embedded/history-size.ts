import type { Json } from '@kyros/contract/json'
import { roughBytes } from './asked-values.ts'
import type { CommandKind } from './workflow-command.ts'

// The limits of the engine that has the lowest: one history, replayed on both.
const suggestAtEvents = 10_000
const suggestAtBytes = 10 * 1024 * 1024
// What a fact costs there beside itself: the task that hands it to the code.
const eventsPerFact = 4
const eventsPerCommand: Record<CommandKind, number> = {
  step: 2,
  timer: 1,
  waitpoint: 1,
  child: 2,
  value: 1,
  attributes: 1,
}

/** How large the history of a run has grown, the same in every replay: it counts what the definition sees. */
export class HistorySize {
  events = 0
  bytes = 0

  get continueSuggested(): boolean {
    return this.events > suggestAtEvents || this.bytes > suggestAtBytes
  }

  addFact(payload: Json): void {
    this.events += eventsPerFact
    this.bytes += roughBytes(payload)
  }

  addCommand(kind: CommandKind, payload: Json): void {
    this.events += eventsPerCommand[kind]
    this.bytes += roughBytes(payload)
  }
}
