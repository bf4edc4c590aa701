import type { NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { readHistory } from './history.ts'
import { currentPart, replayBeside } from './operations/scratch-replay.ts'
import { type RunFacts, readFacts } from './run-facts.ts'
import { type Command, recordedCommand } from './workflow-command.ts'
import type { Outcome, WorkflowHost } from './workflow-host.ts'

export type ShadowResult = {
  /** What the definition came to; undefined while it waits. */
  outcome: Outcome | undefined
  /** Commands of the history and of the replay, in order, as `kind name`. Equal when the definition is repeatable. */
  recorded: string[]
  replayed: string[]
  /** The first command that differs, where one does. */
  divergence: WorkflowHost['divergence']
}

/** Replays a run from its log on a definition, beside the engine and without a trace. @throws when the run is unknown */
export async function shadowReplay(
  store: Store,
  runId: string,
  loaded: LoadedDefinition,
): Promise<ShadowResult> {
  const record = await store.runs.get(runId)
  if (record === undefined) throw new Error(`There is no run ${runId}.`)
  const history = await readHistory(store, runId)
  return replayEvents(history.events, await readFacts(record, history, store), loaded)
}

/** The same for events that are at hand, oldest first: their last part, where the run continued as new. */
export async function replayEvents(
  events: readonly NewRunEvent[],
  run: RunFacts,
  loaded: LoadedDefinition,
): Promise<ShadowResult> {
  const host = await replayBeside(events, run, loaded)
  return {
    outcome: host.outcome,
    recorded: recordedNames(currentPart(events)),
    replayed: host.take().flatMap(askedName),
    divergence: host.divergence,
  }
}

/** In the order of asking: a fork asks again for children that it did not take over, behind what it did. */
function recordedNames(events: readonly NewRunEvent[]): string[] {
  const known = events.flatMap((event) => {
    const recorded = recordedCommand(event)
    if (recorded === undefined) return []
    const key = event.type === 'step.scheduled' ? ` ${event.data.key}` : ''
    return [{ command: recorded.command, text: `${recorded.kind} ${recorded.name}${key}` }]
  })
  return known.toSorted((a, b) => a.command - b.command).map(({ text }) => text)
}

function askedName(command: Command): string[] {
  switch (command.kind) {
    case 'step':
      return [`step ${command.step} ${command.key}`]
    case 'timer':
    case 'waitpoint':
    case 'value':
      return [`${command.kind} ${command.name}`]
    case 'child':
      return [`child ${command.workflow}`]
    case 'attributes':
      return ['attributes attributes']
    default:
      return []
  }
}
