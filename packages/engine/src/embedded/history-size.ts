import type { Json } from '@kyros/contract/json'
import { roughBytes } from './asked-values.ts'
import type { CommandKind } from './workflow-command.ts'

// The limits of the engine that has the lowest: one history, replayed on both.
const suggestAtEvents = 10_000
const suggestAtBytes = 10 * 1024 * 1024
// And where that engine ends a run. Nobody gets there who looks at `continueSuggested`.
const maxEvents = 50_000
const maxBytes = 50 * 1024 * 1024
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

  /** Why this part of the run may ask for nothing more; undefined while it may. */
  get fault(): Error | undefined {
    if (this.events <= maxEvents && this.bytes <= maxBytes) return undefined
    const megabytes = Math.ceil(this.bytes / 1024 / 1024)
    return new RangeError(
      `This part of the run is too long to be replayed: it has ${this.events} events and ${megabytes} MB, and may have ${maxEvents} and 50. Use continueAsNew or loop, so that it goes on with a short history.`,
    )
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
