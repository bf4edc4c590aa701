import type { RunEvent } from '@kyros/contract/event'
import type { JsonObject } from '@kyros/contract/json'
import { asNewEvent } from '../embedded/history.ts'
import { recordedCommand } from '../embedded/workflow-command.ts'
import type { TemporalEvent } from './convert-history.ts'
import { inlineMarkerName } from './convert-inline.ts'

type Numbered = { event: TemporalEvent; oldId: string }

/**
 * The events with what the definition asked for in the order of asking. A fork asks for some of it anew, a child above
 * all, when it has taken over what came after.
 */
export function inOrderOfAsking(events: readonly RunEvent[]): RunEvent[] {
  const ordered: RunEvent[] = []
  let highest = 0
  for (const event of events) {
    const command = commandOf(event)
    if (command >= highest) {
      ordered.push(event)
      highest = command
    } else if (command === 0) ordered.push(event)
    else
      ordered.splice(
        ordered.findIndex((one) => commandOf(one) > command),
        0,
        event,
      )
  }
  return ordered
}

/** 0 for what is no beginning of a command. */
const commandOf = (event: RunEvent) => recordedCommand(asNewEvent(event))?.command ?? 0

/**
 * The events as Temporal's core would have had them. What was begun and cancelled within one workflow task was never
 * sent, so neither is in the history; and the cancellations of a task, whose order means nothing, come before what it
 * begins, in the order in which their targets were begun. `replay-interceptors.ts` gives commands the same order.
 */
export function settleTasks(events: readonly TemporalEvent[]): TemporalEvent[] {
  const settled: Numbered[] = []
  let task: Numbered[] = []
  let isTask = false
  const close = () => {
    settled.push(...settleTask(task))
    task = []
    isTask = false
  }
  for (const event of events) {
    const numbered = { event, oldId: event.eventId }
    if (isTask && isCommand(event)) {
      task.push(numbered)
      continue
    }
    close()
    settled.push(numbered)
    isTask = event.eventType === 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED'
  }
  close()
  return renumber(settled)
}

function settleTask(task: readonly Numbered[]): Numbered[] {
  const unsent = new Set<Numbered>()
  for (const cancel of task) {
    const target = task.find((one) => targets(cancel.event, one.event))
    if (target !== undefined) unsent.add(cancel).add(target)
  }
  const sent = task.filter((one) => !unsent.has(one))
  return turnsOf(sent).flatMap((turn) => {
    const cancels = turn.filter(({ event }) => rankOf(event) !== undefined)
    const others = turn.filter(({ event }) => rankOf(event) === undefined)
    return [...cancels.toSorted((a, b) => compareRanks(rankOf(a.event), rankOf(b.event))), ...others]
  })
}

/** What was asked for at once: the definition goes on within a task when a local activity has ended. */
function turnsOf(task: readonly Numbered[]): Numbered[][] {
  const turns: Numbered[][] = [[]]
  for (const one of task) {
    if (isInlineEnd(one.event)) turns.push([])
    turns.at(-1)?.push(one)
  }
  return turns
}

function isInlineEnd(event: TemporalEvent): boolean {
  const { markerName, failure } = attributesOf(event)
  const isCancelled = typeof failure === 'object' && failure !== null && 'canceledFailureInfo' in failure
  return markerName === inlineMarkerName && !isCancelled
}

const attributesOf = (event: TemporalEvent): JsonObject => {
  const name = Object.keys(event).find((key) => key.endsWith('EventAttributes'))
  const attributes = name === undefined ? undefined : event[name]
  return typeof attributes === 'object' && attributes !== null && !Array.isArray(attributes) ? attributes : {}
}

/** Whether the one cancels what the other begins. */
function targets(cancel: TemporalEvent, begun: TemporalEvent): boolean {
  const { startedEventId, scheduledEventId, workflowExecution } = attributesOf(cancel)
  switch (cancel.eventType) {
    case 'EVENT_TYPE_TIMER_CANCELED':
      return startedEventId === begun.eventId
    case 'EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED':
      return scheduledEventId === begun.eventId
    case 'EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED':
      return (
        begun.eventType === 'EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED' &&
        attributesOf(begun).workflowId === idIn(workflowExecution)
      )
    default:
      return false
  }
}

const idIn = (execution: unknown) =>
  typeof execution === 'object' && execution !== null && 'workflowId' in execution
    ? execution.workflowId
    : undefined

type Rank = readonly [kind: number, target: number]

/** Undefined for what is no cancellation. */
function rankOf(event: TemporalEvent): Rank | undefined {
  const { startedEventId, scheduledEventId, initiatedEventId } = attributesOf(event)
  switch (event.eventType) {
    case 'EVENT_TYPE_TIMER_CANCELED':
      return [0, Number(startedEventId)]
    case 'EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED':
      return [1, Number(scheduledEventId)]
    case 'EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED':
      return [2, Number(initiatedEventId ?? 0)]
    default:
      return undefined
  }
}

function compareRanks(a: Rank | undefined, b: Rank | undefined): number {
  if (a === undefined || b === undefined) return 0
  return a[0] - b[0] || a[1] - b[1]
}

function isCommand({ eventType }: TemporalEvent): boolean {
  return commandTypes.has(eventType.slice('EVENT_TYPE_'.length))
}

const commandTypes: ReadonlySet<string> = new Set([
  ...['TIMER_STARTED', 'TIMER_CANCELED', 'ACTIVITY_TASK_SCHEDULED', 'ACTIVITY_TASK_CANCEL_REQUESTED'],
  ...['START_CHILD_WORKFLOW_EXECUTION_INITIATED', 'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED'],
  ...['MARKER_RECORDED', 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', 'WORKFLOW_PROPERTIES_MODIFIED'],
  ...['WORKFLOW_EXECUTION_UPDATE_ACCEPTED', 'WORKFLOW_EXECUTION_UPDATE_COMPLETED'],
])

function renumber(settled: readonly Numbered[]): TemporalEvent[] {
  const ids = new Map(settled.map(({ oldId }, index) => [oldId, String(index + 1)]))
  return settled.map(({ event, oldId }) => {
    const name = Object.keys(event).find((key) => key.endsWith('EventAttributes'))
    const eventId = ids.get(oldId) ?? oldId
    if (name === undefined) return { ...event, eventId }
    return { ...event, eventId, [name]: withIds(attributesOf(event), ids) }
  })
}

function withIds(attributes: JsonObject, ids: ReadonlyMap<string, string>): JsonObject {
  const entries = Object.entries(attributes).map(([key, value]) =>
    key.endsWith('EventId') && typeof value === 'string' ? [key, ids.get(value) ?? value] : [key, value],
  )
  // Border cast: the values are those of a JSON object.
  return Object.fromEntries(entries) as JsonObject
}
