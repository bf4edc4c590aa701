import type { NewRunEvent } from '@kyros/store/command'
import type { LoadedDefinition } from '../../definitions/definitions.ts'
import type { RunFacts } from '../run-facts.ts'
import { type Recorded, recordedCommand } from '../workflow-command.ts'
import { WorkflowHost } from '../workflow-host.ts'

/** The events from which a run is replayed: those since it last continued as new, or all. */
export function currentPart<E extends { type: string }>(events: readonly E[]): readonly E[] {
  const from = events.findLastIndex((event) => event.type === 'run.continued')
  return from <= 0 ? events : events.slice(from)
}

/** The commands that a history holds, by number. */
export function recordedIn(events: readonly NewRunEvent[]): Map<number, Recorded> {
  const recorded = new Map<number, Recorded>()
  for (const event of events) {
    const known = recordedCommand(event)
    if (known !== undefined) recorded.set(known.command, { kind: known.kind, name: known.name })
  }
  return recorded
}

/**
 * Replays a history on a definition, beside the engine and without a trace. Blob references must be resolved. What the
 * definition came to is the host's `outcome`: `blocked` with both sides where it does not fit.
 */
export async function replayBeside(
  events: readonly NewRunEvent[],
  run: RunFacts,
  loaded: LoadedDefinition,
  createHost = (recorded: Map<number, Recorded>) =>
    new WorkflowHost({ run, loaded, recorded, onLog: () => {} }),
): Promise<WorkflowHost> {
  const part = currentPart(events)
  const host = createHost(recordedIn(part))
  host.replaying = true
  for (const event of part) await host.deliver(event)
  host.checkAllIssued()
  host.replaying = false
  return host
}
