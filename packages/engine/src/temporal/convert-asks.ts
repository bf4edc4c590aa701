import type { RunEvent } from '@kyros/contract/event'
import type { Json, JsonObject } from '@kyros/contract/json'
import { duration, failureOf, payloads } from './convert-history.ts'
import { noteKey, signals } from './start-facts.ts'

/** Where the events go. */
export type Target = {
  /** Id of the workflow task that the commands come from. */
  readonly task: string
  /** Adds an event and gives its id. */
  add(time: string, type: string, attributes: JsonObject): string
  workflowTask(time: string): void
  nextTimerId(): string
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>
type WaitpointEvent = Of<
  'waitpoint.created' | 'waitpoint.completed' | 'waitpoint.expired' | 'waitpoint.cancelled'
>
type ChildEvent = Of<'child.started' | 'child.completed' | 'child.failed' | 'child.cancelled'>
type UpdateEvent = Of<'update.accepted' | 'update.completed' | 'update.failed'>

type Waitpoint = { timer: { id: string; startedEventId: string } | undefined }
type Child = {
  workflow: string
  workflowId: string
  runId: string
  initiatedEventId: string
  /** '' until the event that says so. */
  startedEventId: string
  close: string
}

const closePolicies = {
  cancel: 'PARENT_CLOSE_POLICY_TERMINATE',
  request_cancel: 'PARENT_CLOSE_POLICY_REQUEST_CANCEL',
  abandon: 'PARENT_CLOSE_POLICY_ABANDON',
}

/** Waitpoints, children, updates, patches and attributes as the events that Temporal has for what the adapter does. */
export class AsksConverter {
  readonly #target: Target
  readonly #runId: string
  readonly #part: number
  readonly #waitpoints = new Map<number, Waitpoint>()
  readonly #children = new Map<number, Child>()
  readonly #updates = new Map<string, string>()
  readonly #patches: string[] = []

  constructor(target: Target, runId: string, part: number) {
    this.#target = target
    this.#runId = runId
    this.#part = part
  }

  /** False for an event of another kind. */
  take(event: RunEvent): boolean {
    switch (event.type) {
      case 'waitpoint.created':
      case 'waitpoint.completed':
      case 'waitpoint.expired':
      case 'waitpoint.cancelled':
        this.#waitpoint(event)
        return true
      case 'child.started':
      case 'child.completed':
      case 'child.failed':
      case 'child.cancelled':
        this.#child(event)
        return true
      case 'update.accepted':
      case 'update.completed':
      case 'update.failed':
        this.#update(event)
        return true
      case 'value.recorded':
        this.#patch(event)
        return true
      case 'attributes.set':
        this.#note(event.time)
        return true
      default:
        // A child that was asked for has begun by the time that anything else happens.
        if (isFact(event)) this.#startChildren(event.time)
        return false
    }
  }

  #waitpoint(event: WaitpointEvent): void {
    const { time, data } = event
    const target = this.#target
    if (event.type === 'waitpoint.created') {
      this.#note(time)
      this.#waitpoints.set(data.command, { timer: this.#expiry(event) })
      return
    }
    const waitpoint = this.#waitpoints.get(data.command)
    if (waitpoint === undefined) return
    const { timer } = waitpoint
    if (event.type === 'waitpoint.completed') {
      this.#startChildren(time)
      const answer = { part: this.#part, command: data.command, payload: event.data.payload }
      const input = payloads([answer])
      target.add(time, 'WORKFLOW_EXECUTION_SIGNALED', { signalName: signals.waitpoint, input })
      target.workflowTask(time)
      this.#dropTimer(time, timer)
    } else if (event.type === 'waitpoint.expired') {
      this.#startChildren(time)
      if (timer !== undefined) {
        target.add(time, 'TIMER_FIRED', { timerId: timer.id, startedEventId: timer.startedEventId })
      }
      target.workflowTask(time)
    } else if (event.data.run_ended !== true) this.#dropTimer(time, timer)
  }

  #expiry({ time, data }: Of<'waitpoint.created'>): Waitpoint['timer'] {
    if (data.expires_at === undefined) return undefined
    const id = this.#target.nextTimerId()
    const ms = Math.max(1, Date.parse(data.expires_at) - Date.parse(time))
    const attributes = { timerId: id, startToFireTimeout: duration(ms), ...this.#cause }
    return { id, startedEventId: this.#target.add(time, 'TIMER_STARTED', attributes) }
  }

  #dropTimer(time: string, timer: Waitpoint['timer']): void {
    if (timer === undefined) return
    const { id: timerId, startedEventId } = timer
    this.#target.add(time, 'TIMER_CANCELED', { timerId, startedEventId, ...this.#cause })
  }

  get #cause() {
    return { workflowTaskCompletedEventId: this.#target.task }
  }

  #child(event: ChildEvent): void {
    if (event.type === 'child.started') {
      this.#askForChild(event)
      return
    }
    const { time, data } = event
    const child = this.#children.get(data.command)
    if (child === undefined) return
    if (event.type === 'child.cancelled') {
      if (event.data.run_ended !== true && child.close !== 'abandon') this.#cancelChild(time, child)
      return
    }
    this.#startChildren(time)
    const { initiatedEventId, startedEventId } = child
    const base = { ...executionOf(child), initiatedEventId, startedEventId }
    if (event.type === 'child.completed') {
      const result = payloads([event.data.result])
      this.#target.add(time, 'CHILD_WORKFLOW_EXECUTION_COMPLETED', { ...base, result })
    } else {
      const { code, message } = event.data.error
      const failure = failureOf(code, message, [])
      const retryState = 'RETRY_STATE_NON_RETRYABLE_FAILURE'
      this.#target.add(time, 'CHILD_WORKFLOW_EXECUTION_FAILED', { ...base, failure, retryState })
    }
    this.#target.workflowTask(time)
  }

  #askForChild({ time, data }: Of<'child.started'>): void {
    const { child: workflow, key = workflow, command, run_id: runId, parent_close: close } = data
    const workflowId = `${this.#runId}/${key}`
    const attributes = {
      workflowId,
      workflowType: { name: workflow },
      taskQueue: { name: 'kyros' },
      parentClosePolicy: closePolicies[close],
      ...this.#cause,
    }
    const initiatedEventId = this.#target.add(time, 'START_CHILD_WORKFLOW_EXECUTION_INITIATED', attributes)
    this.#children.set(command, { workflow, workflowId, runId, initiatedEventId, startedEventId: '', close })
  }

  #startChildren(time: string): void {
    for (const child of this.#children.values()) {
      if (child.startedEventId !== '') continue
      const attributes = { ...executionOf(child), initiatedEventId: child.initiatedEventId }
      child.startedEventId = this.#target.add(time, 'CHILD_WORKFLOW_EXECUTION_STARTED', attributes)
    }
  }

  #cancelChild(time: string, child: Child): void {
    const { workflowExecution } = executionOf(child)
    this.#target.add(time, 'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED', {
      workflowExecution,
      // No field of Temporal's: for `convert-order.ts`.
      initiatedEventId: child.initiatedEventId,
      childWorkflowOnly: true,
      ...this.#cause,
    })
  }

  #update(event: UpdateEvent): void {
    const { time, data } = event
    const meta = { updateId: data.update_id, identity: 'kyros' }
    if (event.type === 'update.accepted') {
      this.#startChildren(time)
      this.#target.workflowTask(time)
      const input = { name: data.update, args: payloads([event.data.payload]) }
      const attributes = {
        protocolInstanceId: data.update_id,
        acceptedRequestMessageId: `${data.update_id}/request`,
        // It came with the task that was just scheduled: three events ago.
        acceptedRequestSequencingEventId: String(Number(this.#target.task) - 2),
        acceptedRequest: { meta, input },
      }
      this.#updates.set(
        data.update_id,
        this.#target.add(time, 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED', attributes),
      )
      return
    }
    // Temporal answers what is left open at the end of a run by itself.
    if (event.type === 'update.failed' && event.data.error.code === 'run_ended') return
    const outcome: JsonObject =
      event.type === 'update.completed'
        ? { success: payloads([event.data.result]) }
        : { failure: failureOf(event.data.error.code, event.data.error.message, []) }
    const acceptedEventId = this.#updates.get(data.update_id) ?? ''
    this.#target.add(time, 'WORKFLOW_EXECUTION_UPDATE_COMPLETED', { meta, acceptedEventId, outcome })
  }

  /** Temporal marks a patch, and lists all of them in a search attribute. */
  #patch({ time, data }: Of<'value.recorded'>): void {
    const id = data.name.slice('patch:'.length)
    const details = { 'patch-data': payloads([{ id, deprecated: false }]) }
    this.#target.add(time, 'MARKER_RECORDED', { markerName: 'core_patch', details, ...this.#cause })
    this.#patches.push(id)
    const indexedFields = { TemporalChangeVersion: onePayload(this.#patches.toSorted(), 'KeywordList') }
    const attributes = { searchAttributes: { indexedFields }, ...this.#cause }
    this.#target.add(time, 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', attributes)
  }

  /** What the adapter notes is not compared: only that it notes something here. */
  #note(time: string): void {
    const attributes = { upsertedMemo: { fields: { [noteKey]: onePayload(null) } }, ...this.#cause }
    this.#target.add(time, 'WORKFLOW_PROPERTIES_MODIFIED', attributes)
  }
}

/** Whether the definition is told of the event. */
function isFact({ type }: RunEvent): boolean {
  return (
    type === 'step.completed' ||
    type === 'step.failed' ||
    type === 'timer.fired' ||
    type === 'signal.received' ||
    type === 'run.cancel_requested'
  )
}

function executionOf({ workflow, workflowId, runId }: Child) {
  return { workflowExecution: { workflowId, runId }, workflowType: { name: workflow } }
}

function onePayload(value: Json, type?: string): JsonObject {
  const metadata = { encoding: base64('json/plain'), ...(type === undefined ? {} : { type: base64(type) }) }
  return { metadata, data: base64(JSON.stringify(value)) }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
