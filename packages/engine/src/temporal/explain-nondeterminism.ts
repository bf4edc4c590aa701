import type { TemporalEvent } from './convert-history.ts'

/**
 * What Temporal's core says of a history and a definition that do not fit, in the words of this project. `events` is the
 * history that was replayed: the core names some events by their number alone. What it cannot read it gives back as it is.
 */
export function explainNondeterminism(message: string, events: readonly TemporalEvent[] = []): string {
  const text = plainText(message)
  return (
    mismatch(text, events) ??
    unhandled(text, events) ??
    unexpected(text, events) ??
    thrown(text) ??
    text.slice(0, longestText)
  )
}

const longestText = 2000

/** The sentence of the core out of its debug output, which quotes quotes. */
function plainText(message: string): string {
  const found = /\[TMPRL1100\](?:[^"\\]|\\["'])*/.exec(message)
  return (found?.[0] ?? message).replaceAll('\\"', '"').replaceAll("\\'", "'")
}

const nouns: { readonly [core: string]: string } = {
  'activity id': 'step',
  'activity type': 'step',
  'child workflow id': 'child',
  'child workflow type': 'child',
}

/** "Activity id of scheduled event 'A' does not match activity id of activity command 'B'". */
function mismatch(text: string, events: readonly TemporalEvent[]): string | undefined {
  const found =
    /(\w[\w ]*?) of (?:\w+ event|recorded marker) '(.*?)' does not match [\w ]*? of [\w ]*command '(.*?)'/i.exec(
      text,
    )
  if (found === null) return undefined
  const [, what = '', recorded = '', asked = ''] = found
  const core = what.replace(/^.*error: /i, '').toLowerCase()
  const noun = Object.entries(nouns).find(([name]) => core.endsWith(name))?.[1] ?? core
  // A child's id begins with that of its run, which says nothing here.
  const short = (id: string) => (noun === 'child' ? (id.split('/').at(-1) ?? id) : id)
  const at = events.find((event) => namesOf(event).includes(recorded))
  return sentence(`${noun} ${short(recorded)}`, `${noun} ${short(asked)}`, at)
}

/** "Timer machine does not handle this event: HistoryEvent(id: 5, ActivityTaskScheduled)". */
function unhandled(text: string, events: readonly TemporalEvent[]): string | undefined {
  const found =
    /(?:error: )?([\w ]+?) ?(?:Machine|machine) does not handle(?: this event:| command type)? ?(?:HistoryEvent(?:\(id:| \{ event_id:) (\d+),(?: (\w+)\))?|(\w+))/.exec(
      text.replace('[TMPRL1100] ', ''),
    )
  if (found === null) return undefined
  const [, machine = '', id, type = '', command] = found
  const asked = machines[spaced(machine.replace(/^.*: /, ''))] ?? machine
  const event = events.find(({ eventId }) => eventId === id)
  return sentence(event === undefined ? kindOf(command ?? type) : textOf(event), asked, event)
}

/** "No command scheduled for event HistoryEvent(id: 5, TimerStarted)". */
function unexpected(text: string, events: readonly TemporalEvent[]): string | undefined {
  const found = /No command scheduled for event HistoryEvent\(id: (\d+), (\w+)\)/.exec(text)
  if (found === null) return undefined
  const [, id, type = ''] = found
  const event = events.find(({ eventId }) => eventId === id)
  return sentence(event === undefined ? kindOf(type) : textOf(event), 'nothing', event)
}

/** A workflow task that failed: what the definition threw is a bug of it. */
function thrown(text: string): string | undefined {
  if (!text.includes('workflow task failure')) return undefined
  const found = /Failure \{ message: "((?:[^"\\]|\\.)*)"/.exec(text)
  if (found === null) return undefined
  return `The definition throws where the history goes on: ${found[1]}`
}

function sentence(recorded: string, asked: string, event: TemporalEvent | undefined): string {
  const where = event === undefined ? '' : ` (event ${event.eventId})`
  return `The history holds ${recorded}${where}, the definition asks for ${asked}.`
}

/** `ModifyWorkflowProperties` as the other machines are called: in words. */
const spaced = (machine: string) => machine.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()

/** What a definition asks for, by the machine of the core that had been made for it. */
const machines: { readonly [machine: string]: string } = {
  timer: 'a timer',
  activity: 'a step',
  'local activity': 'an inline step',
  'child workflow': 'a child',
  'complete workflow': 'the end of the run',
  'fail workflow': 'the failure of the run',
  'cancel workflow': 'the cancellation of the run',
  'continue as new workflow': 'a new part of the run',
  'modify workflow properties': 'a waitpoint or attributes',
  'upsert workflow search attributes': 'a patch',
  patch: 'a patch',
  update: 'the answer of an update',
  'cancel external wf': 'the cancellation of a child',
  'signal external wf': 'a signal to another run',
  'nexus operation': 'an operation of Nexus',
}

const kinds: { readonly [type: string]: string } = {
  TimerStarted: 'a timer',
  TimerCanceled: 'the cancellation of a timer',
  TimerFired: 'the end of a timer',
  ActivityTaskScheduled: 'a step',
  ActivityTaskStarted: 'an attempt',
  ActivityTaskCompleted: 'the result of a step',
  ActivityTaskFailed: 'a failed attempt',
  ActivityTaskCancelRequested: 'the cancellation of a step',
  StartChildWorkflowExecutionInitiated: 'a child',
  RequestCancelExternalWorkflowExecutionInitiated: 'the cancellation of a child',
  MarkerRecorded: 'a patch',
  UpsertWorkflowSearchAttributes: 'a patch',
  WorkflowPropertiesModified: 'a waitpoint or attributes',
  WorkflowExecutionUpdateAccepted: 'an update',
  WorkflowExecutionUpdateCompleted: 'the answer of an update',
  WorkflowExecutionCompleted: 'the end of the run',
  WorkflowExecutionFailed: 'the failure of the run',
  WorkflowExecutionCanceled: 'the cancellation of the run',
  WorkflowExecutionContinuedAsNew: 'a new part of the run',
}

const kindOf = (type: string) => kinds[type] ?? type

/** `EVENT_TYPE_TIMER_STARTED` as the core says it: `TimerStarted`. */
const coreName = (eventType: string) =>
  eventType
    .replace(/^EVENT_TYPE_/, '')
    .toLowerCase()
    .replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())

function textOf(event: TemporalEvent): string {
  const type = coreName(event.eventType)
  const name = namesOf(event)[0]
  switch (type) {
    case 'ActivityTaskScheduled':
      return name === undefined ? kindOf(type) : `step ${name}`
    case 'StartChildWorkflowExecutionInitiated':
      return name === undefined ? kindOf(type) : `child ${name.split('/').at(-1) ?? name}`
    case 'MarkerRecorded':
      return name === undefined ? kindOf(type) : `inline step ${name}`
    default:
      return kindOf(type)
  }
}

/** Names by which the core may call the event. */
function namesOf({ activityTaskScheduledEventAttributes: step, ...event }: TemporalEvent): string[] {
  const inline = inlineStepOf(event.markerRecordedEventAttributes)
  if (inline !== undefined) return [inline]
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes
  return [
    ...stringsIn(step, ['activityId']),
    ...nameIn(step, 'activityType'),
    ...stringsIn(child, ['workflowId']),
    ...nameIn(child, 'workflowType'),
  ]
}

/** The step whose attempt was a local activity, by what the core wrote of it. */
function inlineStepOf(marker: unknown): string | undefined {
  const data = valueIn(valueIn(valueIn(marker, 'details'), 'data'), 'payloads')
  const text = Array.isArray(data) ? valueIn(data[0], 'data') : undefined
  if (typeof text !== 'string') return undefined
  return nameIn({ data: JSON.parse(Buffer.from(text, 'base64').toString()) }, 'data', 'activity_type')[0]
}

const valueIn = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(key) : undefined

function stringsIn(value: unknown, keys: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null) return []
  const found = new Map(Object.entries(value))
  return keys.flatMap((key) => {
    const text = found.get(key)
    return typeof text === 'string' ? [text] : []
  })
}

function nameIn(value: unknown, key: string, name = 'name'): string[] {
  return stringsIn(valueIn(value, key), [name])
}
