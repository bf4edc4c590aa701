import type { NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { addEvent, emptyHistory, readHistory } from './history.ts'
import { factsOf } from './run-facts.ts'
import { type Outcome, WorkflowHost } from './workflow-host.ts'

export type ShadowResult = {
  /** What the definition came to; undefined while it waits. */
  outcome: Outcome | undefined
  /** Commands of the history and of the replay, in order, as `kind name key`. Equal when the definition is repeatable. */
  recorded: string[]
  replayed: string[]
}

/** Replays a run from its log on a definition, beside the engine and without a trace. @throws when the run is unknown */
export async function shadowReplay(
  store: Store,
  runId: string,
  loaded: LoadedDefinition,
): Promise<ShadowResult> {
  const record = await store.runs.get(runId)
  if (record === undefined) throw new Error(`There is no run ${runId}.`)
  const { events } = await readHistory(store, runId)
  return replayEvents(events, { ...factsOf(record) }, loaded)
}

/** The same for events that are at hand, oldest first. */
export async function replayEvents(
  events: readonly NewRunEvent[],
  run: ReturnType<typeof factsOf>,
  loaded: LoadedDefinition,
): Promise<ShadowResult> {
  const history = emptyHistory()
  for (const event of events) addEvent(history, event)
  const host = new WorkflowHost({ run, loaded, recorded: history.recorded, onLog: () => {} })
  for (const event of events) await host.deliver(event)
  host.checkAllIssued()
  return {
    outcome: host.outcome,
    recorded: events.flatMap(recordedName),
    replayed: host.take().flatMap(askedName),
  }
}

function recordedName(event: NewRunEvent): string[] {
  if (event.type === 'step.scheduled') return [`step ${event.data.step} ${event.data.key}`]
  return event.type === 'timer.started' ? [`timer ${event.data.timer}`] : []
}

function askedName(command: ReturnType<WorkflowHost['take']>[number]): string[] {
  if (command.kind === 'step') return [`step ${command.step} ${command.key}`]
  return command.kind === 'timer' ? [`timer ${command.name}`] : []
}
