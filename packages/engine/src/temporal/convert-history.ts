import type { RunEvent } from '@kyros/contract/event'
import type { Json, JsonObject } from '@kyros/contract/json'
import { originOf } from '../embedded/history.ts'
import { seenBy } from '../embedded/run-facts.ts'
import { AsksConverter } from './convert-asks.ts'
import { type InlineAttempt, type InlineEnd, inlineAttempts, inlineMarker } from './convert-inline.ts'
import { inOrderOfAsking, settleTasks } from './convert-order.ts'

/** A run as far as a foreign engine must know it. */
export type ConvertedRun = {
  runId: string
  workflow: string
  version: string
  attempt: number
  /** How often steps are tried again that do not say; left out: as the history says. */
  maxRetries?: number
  /** Whose dice it rolls; left out: its own. */
  seed?: string
  input: Json
}

/** Temporal's History in proto3 JSON. */
export type TemporalHistory = { events: TemporalEvent[] }
export type TemporalEvent = { eventId: string; eventTime: string; eventType: string } & JsonObject

/**
 * The history that Temporal would have written for the same run: a workflow task for every fact that the embedded
 * engine gave to the definition, and behind it the commands that followed. Payloads must be resolved (no blobs). A run
 * that continued as new is several executions there: one history for each part, with the bundle that it ran.
 */
export function convertHistory(
  run: ConvertedRun,
  events: readonly RunEvent[],
): { definition: string; history: TemporalHistory }[] {
  const asSeen = { ...retriesOf(events), ...run, ...seenBy(originOf(events)) }
  return partsOf(events).map((part, index) => {
    const converter = new Converter(asSeen, index, part)
    for (const event of inOrderOfAsking(part)) converter.take(event)
    return { definition: definitionOf(part), history: { events: settleTasks(converter.events) } }
  })
}

function retriesOf(events: readonly RunEvent[]): { maxRetries?: number } {
  const created = events.find((event) => event.type === 'run.created')
  return created === undefined ? {} : { maxRetries: created.data.max_retries }
}

/** Each part with the event that ended it, which is the first of the next. */
function partsOf(events: readonly RunEvent[]): RunEvent[][] {
  const parts: RunEvent[][] = [[]]
  for (const event of events) {
    parts.at(-1)?.push(event)
    if (event.type === 'run.continued') parts.push([event])
  }
  return parts
}

/** The last bundle of a part: an upgrade moves all of it. */
function definitionOf(part: readonly RunEvent[]): string {
  const bundles = part.flatMap(({ type, data }, index) =>
    type === 'run.created' || type === 'run.upgraded' || (type === 'run.continued' && index === 0)
      ? [data.definition]
      : [],
  )
  return bundles.at(-1) ?? ''
}

class Converter {
  readonly events: TemporalEvent[] = []
  readonly #run: ConvertedRun
  /** Event ids by command: what a later event refers to. */
  readonly #scheduled = new Map<number, string>()
  readonly #timerIds = new Map<number, string>()
  /** Steps between two attempts, by command. */
  readonly #retries = new Map<number, { timerId: string; startedEventId: string }>()
  readonly #activities = new Map<number, JsonObject & { activityType: { name: string } }>()
  readonly #asks: AsksConverter
  /** Attempts that are local activities, and those under way, by command. */
  readonly #inline: ReadonlySet<string>
  readonly #running = new Map<number, InlineAttempt>()
  #task = '0'
  #timers = 0
  #attempts = 0
  /** From there on the engine alone goes on: on Temporal, the workflow task fails again and again. */
  #isBlocked = false
  #isCancelled = false
  /** Until when a step had to be over, by its command, where it was not. */
  readonly #late: ReadonlyMap<number, number>

  constructor(run: ConvertedRun, part: number, events: readonly RunEvent[]) {
    this.#run = run
    this.#late = lateSteps(events)
    this.#inline = inlineAttempts(events)
    this.#asks = new AsksConverter(this, run.runId, part)
  }

  /** The workflow task that the commands come from. */
  get task(): string {
    return this.#task
  }

  nextTimerId(): string {
    this.#timers += 1
    return String(this.#timers)
  }

  take(event: RunEvent): void {
    if (event.type === 'run.upgraded') this.#isBlocked = false
    if (this.#isBlocked) return
    if (this.#asks.take(event)) return
    switch (event.type) {
      case 'run.created':
        this.#begin(event.time, this.#run.input, {})
        break
      case 'run.continued':
        this.#continue(event)
        break
      case 'run.started':
        this.workflowTask(event.time)
        break
      case 'signal.received':
        this.#signal(event)
        break
      case 'run.waiting':
        if (event.data.reason === 'blocked') this.#block()
        break
      case 'run.cancel_requested':
        this.#isCancelled = true
        // Before its start a run is Kyros' own, and Temporal never hears of it.
        if (this.#task === '0') break
        this.add(event.time, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { cause: event.data.reason })
        this.workflowTask(event.time)
        break
      case 'timer.started':
      case 'timer.fired':
      case 'timer.cancelled':
        this.#timer(event)
        break
      case 'step.scheduled':
      case 'step.started':
      case 'step.completed':
      case 'step.failed':
      case 'step.cancelled':
        this.#step(event)
        break
      default:
        this.#end(event)
    }
  }

  add(time: string, type: string, attributes: JsonObject): string {
    const eventId = String(this.events.length + 1)
    const name = type.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    const eventType = `EVENT_TYPE_${type}`
    this.events.push({ eventId, eventTime: time, eventType, [`${name}EventAttributes`]: attributes })
    return eventId
  }

  /** What the definition did not survive is not what it can be compared by: the history ends before it. */
  #block(): void {
    this.#isBlocked = true
    const length = this.events.findLastIndex(
      ({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED',
    )
    // What it did before it threw was not recorded either, but for cancellations and the like.
    this.events.splice(length)
    while (factTypes.has(this.events.at(-1)?.eventType ?? '')) this.events.pop()
  }

  /** The end of one part and the beginning of the next. */
  #continue({ time, data }: Of<'run.continued'>): void {
    const { input, part = 1, carried, loop } = data
    if (this.events.length > 0) {
      const workflowType = { name: this.#run.workflow }
      const workflowTaskCompletedEventId = this.#task
      const next = { newExecutionRunId: `${this.#run.runId}/${part}`, input: payloads([input]) }
      // What the loop saw when it went on in a new part.
      if (loop !== undefined) this.#suggestContinue()
      this.add(time, 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW', {
        workflowType,
        ...next,
        workflowTaskCompletedEventId,
      })
      return
    }
    this.#begin(time, input, { part, carried, ...(loop === undefined ? {} : { loop }) })
    this.workflowTask(time)
  }

  #suggestContinue(): void {
    const started = this.events.findLast(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_TASK_STARTED')
    const attributes = started?.workflowTaskStartedEventAttributes
    if (typeof attributes === 'object' && attributes !== null)
      Object.assign(attributes, { suggestContinueAsNew: true })
  }

  #begin(time: string, input: Json, more: JsonObject): void {
    const { runId, workflow, attempt, version, seed, maxRetries } = this.#run
    const given: JsonObject = {
      ...(seed === undefined ? {} : { seed }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
      ...(this.#inline.size === 0 ? {} : { inline: [...this.#inline] }),
    }
    this.add(time, 'WORKFLOW_EXECUTION_STARTED', {
      workflowType: { name: workflow },
      taskQueue: { name: 'kyros' },
      input: payloads([input, { attempt, version, ...given, ...more }]),
      originalExecutionRunId: runId,
      firstExecutionRunId: runId,
      attempt: 1,
      workflowTaskTimeout: '10s',
    })
  }

  workflowTask(time: string): void {
    const taskQueue = { name: 'kyros' }
    const attributes = { taskQueue, startToCloseTimeout: '10s', attempt: 1 }
    const scheduledEventId = this.add(time, 'WORKFLOW_TASK_SCHEDULED', attributes)
    const startedEventId = this.add(time, 'WORKFLOW_TASK_STARTED', { scheduledEventId, identity: 'kyros' })
    // Without its first flag the core would compare kinds of commands only, not their names.
    const sdkMetadata: JsonObject =
      this.#task === '0' ? { coreUsedFlags: [1, 2, 3], langUsedFlags: [1, 2] } : {}
    this.#task = this.add(time, 'WORKFLOW_TASK_COMPLETED', { scheduledEventId, startedEventId, sdkMetadata })
  }

  #signal(event: Of<'signal.received'>): void {
    const { signal: signalName, payload } = event.data
    this.add(event.time, 'WORKFLOW_EXECUTION_SIGNALED', { signalName, input: payloads([payload]) })
    // A signal before the start waits for the first workflow task.
    if (this.#task !== '0') this.workflowTask(event.time)
  }

  #timer(event: Of<'timer.started' | 'timer.fired' | 'timer.cancelled'>): void {
    const { command } = event.data
    if (event.type === 'timer.started') {
      const timerId = this.nextTimerId()
      this.#timerIds.set(command, timerId)
      const ms = Math.max(1, Date.parse(event.data.fire_at) - Date.parse(event.time))
      const attributes = {
        timerId,
        startToFireTimeout: duration(ms),
        workflowTaskCompletedEventId: this.#task,
      }
      this.#scheduled.set(command, this.add(event.time, 'TIMER_STARTED', attributes))
      return
    }
    const timerId = this.#timerIds.get(command) ?? ''
    const startedEventId = this.#scheduled.get(command) ?? ''
    if (event.type === 'timer.fired') {
      this.add(event.time, 'TIMER_FIRED', { timerId, startedEventId })
      this.workflowTask(event.time)
    } else if (event.data.run_ended !== true) {
      const attributes = { timerId, startedEventId, workflowTaskCompletedEventId: this.#task }
      this.add(event.time, 'TIMER_CANCELED', attributes)
    }
  }

  #step(
    event: Of<'step.scheduled' | 'step.started' | 'step.completed' | 'step.failed' | 'step.cancelled'>,
  ): void {
    const { command, key } = event.data
    const scheduledEventId = this.#scheduled.get(command) ?? ''
    switch (event.type) {
      case 'step.scheduled':
        this.#activities.set(command, this.#activity(event, key))
        this.#again(event.time, command, 1)
        break
      case 'step.completed': {
        if (this.#endInline(event.time, command, { output: event.data.output })) break
        const startedEventId = this.#attempt(event.time, scheduledEventId, event.data.attempt)
        const result = payloads([event.data.output])
        this.add(event.time, 'ACTIVITY_TASK_COMPLETED', { result, scheduledEventId, startedEventId })
        this.workflowTask(event.time)
        break
      }
      case 'step.failed': {
        const { error, attempt, retry_at: retryAt } = event.data
        if (retryAt === undefined && this.#endRetry(event.time, command)) break
        const delayMs = Date.parse(retryAt ?? event.time) - Date.parse(event.time)
        if (this.#endInline(event.time, command, { error })) {
          if (retryAt !== undefined) this.#retry(event, delayMs)
          break
        }
        const startedEventId = this.#attempt(event.time, scheduledEventId, attempt)
        const failure = failureOf(error.code, error.message, [{ retryable: error.retryable ?? true }])
        const retryState =
          error.retryable === false
            ? 'RETRY_STATE_NON_RETRYABLE_FAILURE'
            : 'RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED'
        this.add(event.time, 'ACTIVITY_TASK_FAILED', {
          failure,
          scheduledEventId,
          startedEventId,
          retryState,
        })
        this.workflowTask(event.time)
        if (retryAt !== undefined) this.#retry(event, delayMs)
        break
      }
      case 'step.started': {
        // The adapter begins no attempt when the time of the step is over: it fails, which the history says next.
        if (Date.parse(event.time) >= (this.#late.get(command) ?? Infinity)) break
        if (this.#endRetry(event.time, command)) this.#again(event.time, command, event.data.attempt)
        break
      }
      case 'step.cancelled': {
        if (event.data.run_ended === true) break
        if (this.#endInline(event.time, command, { cancelled: true })) break
        const retry = this.#retries.get(command)
        const cause = { workflowTaskCompletedEventId: this.#task }
        if (retry !== undefined) this.add(event.time, 'TIMER_CANCELED', { ...retry, ...cause })
        else this.add(event.time, 'ACTIVITY_TASK_CANCEL_REQUESTED', { scheduledEventId, ...cause })
        this.#retries.delete(command)
      }
    }
  }

  /** The pause between two attempts is over. False: there was none. */
  #endRetry(time: string, command: number): boolean {
    const retry = this.#retries.get(command)
    if (retry === undefined) return false
    this.#retries.delete(command)
    this.add(time, 'TIMER_FIRED', retry)
    this.workflowTask(time)
    return true
  }

  /** What the adapter does between two attempts: a timer, or at once the next. */
  #retry({ time, data: { command, attempt } }: Of<'step.failed'>, delayMs: number): void {
    if (delayMs <= 0) {
      this.#again(time, command, attempt + 1)
      return
    }
    const timerId = this.nextTimerId()
    const startToFireTimeout = duration(delayMs)
    const cause = { workflowTaskCompletedEventId: this.#task }
    const startedEventId = this.add(time, 'TIMER_STARTED', { timerId, startToFireTimeout, ...cause })
    this.#retries.set(command, { timerId, startedEventId })
  }

  #again(time: string, command: number, attempt: number): void {
    const activity = this.#activities.get(command)
    if (activity === undefined) return
    this.#attempts += 1
    if (this.#inline.has(`${command}/${attempt}`)) {
      const step = activity.activityType.name
      this.#running.set(command, { seq: this.#attempts, step, time, task: this.#task })
      return
    }
    const attributes = { ...activity, workflowTaskCompletedEventId: this.#task }
    this.#scheduled.set(command, this.add(time, 'ACTIVITY_TASK_SCHEDULED', attributes))
  }

  /** A local activity ends within the workflow task, unless something else came since. False: it is none. */
  #endInline(time: string, command: number, end: InlineEnd): boolean {
    const running = this.#running.get(command)
    if (running === undefined) return false
    this.#running.delete(command)
    if (running.task !== this.#task && !('cancelled' in end)) this.workflowTask(time)
    const marker = inlineMarker(running, time, end)
    this.add(time, 'MARKER_RECORDED', { ...marker, workflowTaskCompletedEventId: this.#task })
    return true
  }

  #activity(
    event: Of<'step.scheduled'>,
    activityId: string,
  ): JsonObject & { activityType: { name: string } } {
    return {
      activityId,
      activityType: { name: event.data.step },
      taskQueue: { name: 'kyros' },
      input: payloads([event.data.input]),
      startToCloseTimeout: '600s',
      retryPolicy: { maximumAttempts: 1 },
      workflowTaskCompletedEventId: this.#task,
    }
  }

  #attempt(time: string, scheduledEventId: string, attempt: number): string {
    return this.add(time, 'ACTIVITY_TASK_STARTED', {
      scheduledEventId,
      attempt: 1,
      identity: `kyros ${attempt}`,
    })
  }

  #end(event: RunEvent): void {
    const workflowTaskCompletedEventId = this.#task
    switch (event.type) {
      case 'run.completed':
        this.add(event.time, 'WORKFLOW_EXECUTION_COMPLETED', {
          result: payloads([event.data.result]),
          workflowTaskCompletedEventId,
        })
        break
      case 'run.failed': {
        if (!ownReasons.has(event.data.reason)) {
          this.add(event.time, 'WORKFLOW_EXECUTION_TERMINATED', { reason: event.data.error.message })
          break
        }
        const failure = failureOf(event.data.error.code, event.data.error.message, [])
        const retryState = 'RETRY_STATE_NON_RETRYABLE_FAILURE'
        const attributes = { failure, retryState, workflowTaskCompletedEventId }
        this.add(event.time, 'WORKFLOW_EXECUTION_FAILED', attributes)
        break
      }
      case 'run.cancelled':
        // Without a workflow task there was nothing to cancel: Temporal would not have started it.
        if (this.#task === '0') break
        // A parent that does not want it any more ends it without asking.
        if (this.#isCancelled)
          this.add(event.time, 'WORKFLOW_EXECUTION_CANCELED', { workflowTaskCompletedEventId })
        else this.add(event.time, 'WORKFLOW_EXECUTION_TERMINATED', { reason: event.data.reason ?? '' })
        break
      case 'run.timed_out':
        this.add(event.time, 'WORKFLOW_EXECUTION_TIMED_OUT', { retryState: 'RETRY_STATE_TIMEOUT' })
        break
      default:
    }
  }
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

/** The limit of a step as a whole is not in its events, but for the message of the failure. */
const inAll = /longer than (\d+) ms in all/

function lateSteps(events: readonly RunEvent[]): Map<number, number> {
  const scheduled = new Map<number, number>()
  const late = new Map<number, number>()
  for (const { type, data, time } of events) {
    if (type === 'step.scheduled') scheduled.set(data.command, Date.parse(time))
    if (type !== 'step.failed' || data.retry_at !== undefined) continue
    const limitMs = inAll.exec(data.error.message)?.[1]
    const begunMs = scheduled.get(data.command)
    if (limitMs !== undefined && begunMs !== undefined) late.set(data.command, begunMs + Number(limitMs))
  }
  return late
}

/** Why a run fails by its definition. With others the engine has ended it, and the definition was not asked. */
const ownReasons: ReadonlySet<string> = new Set(['workflow_failed', 'step_failed', 'child_failed'])

/** What comes before a workflow task and is the cause of it. */
const factTypes: ReadonlySet<string> = new Set(
  [
    ...['ACTIVITY_TASK_STARTED', 'ACTIVITY_TASK_COMPLETED', 'ACTIVITY_TASK_FAILED', 'TIMER_FIRED'],
    ...['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_EXECUTION_CANCEL_REQUESTED'],
    ...['CHILD_WORKFLOW_EXECUTION_STARTED', 'CHILD_WORKFLOW_EXECUTION_COMPLETED'],
    'CHILD_WORKFLOW_EXECUTION_FAILED',
  ].map((type) => `EVENT_TYPE_${type}`),
)

export const duration = (ms: number) => `${(ms / 1000).toFixed(3)}s`

const encoding = Buffer.from('json/plain').toString('base64')

export function payloads(values: readonly Json[]): JsonObject {
  return {
    payloads: values.map((value) => ({
      metadata: { encoding },
      data: Buffer.from(JSON.stringify(value)).toString('base64'),
    })),
  }
}

export function failureOf(type: string, message: string, details: readonly Json[]): JsonObject {
  const applicationFailureInfo = { type, nonRetryable: true, details: payloads(details) }
  return { message, source: 'kyros', applicationFailureInfo }
}
