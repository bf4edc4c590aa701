import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { WorkflowHandle } from '@temporalio/client'
import type { PayloadCodec } from '@temporalio/common'
import { inlineMarkerName } from './convert-inline.ts'
import type { Ending, Fact, HistoryFact, InlineEnding } from './history-facts.ts'
import {
  type ChildMeta,
  cutOff,
  elsewhere,
  type MessageMeta,
  noteKey,
  type StartedWith,
  type StepMeta,
  workerMissing,
} from './start-facts.ts'
import { traceIn } from './trace-headers.ts'

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>
/** One event of a Temporal history, as its API gives it. */
export type TemporalHistoryEvent = NonNullable<History['events']>[number]
type Event = TemporalHistoryEvent
type Payloads = NonNullable<NonNullable<Event['activityTaskScheduledEventAttributes']>['input']>
type Payload = NonNullable<Payloads['payloads']>[number]
type Marker = NonNullable<Event['markerRecordedEventAttributes']>
type Failure = NonNullable<NonNullable<Event['activityTaskFailedEventAttributes']>['failure']>

/** Reads what the events of a history say; payloads are decoded by `codecs`, the last that encoded first. */
export class HistoryReader {
  readonly #codecs: readonly PayloadCodec[]

  constructor(codecs: readonly PayloadCodec[] = []) {
    this.#codecs = codecs
  }

  async read(event: Event): Promise<HistoryFact> {
    return {
      id: Number(event.eventId ?? 0),
      timeMs: msOf(event.eventTime),
      taskId: taskOf(event),
      fact: await this.#fact(event),
    }
  }

  async #fact(event: Event): Promise<Fact> {
    return (
      (await this.#ofRun(event)) ??
      (await this.#ofStep(event)) ??
      (await this.#ofTimer(event)) ??
      (await this.#ofChild(event)) ??
      (await this.#ofMessage(event)) ?? { kind: 'other' }
    )
  }

  async #ofRun(event: Event): Promise<Fact | undefined> {
    const started = event.workflowExecutionStartedEventAttributes
    if (started) {
      const [input = null, given] = await this.#values(started.input)
      return { kind: 'started', input, started: asStarted(given) }
    }
    const begun = event.workflowTaskStartedEventAttributes
    if (begun) return { kind: 'task_started', ...(begun.requestId === goesOnRequest ? { goesOn: true } : {}) }
    if (event.workflowTaskCompletedEventAttributes) return { kind: 'task_completed' }
    const task = event.workflowTaskFailedEventAttributes
    if (task) return this.#taskFailed(task.failure, task.cause)
    const completed = event.workflowExecutionCompletedEventAttributes
    if (completed) return { kind: 'completed', result: (await this.#values(completed.result))[0] ?? null }
    const failed = event.workflowExecutionFailedEventAttributes
    if (failed) return this.#failed(failed.failure)
    if (event.workflowExecutionCanceledEventAttributes) return { kind: 'cancelled' }
    if (event.workflowExecutionTimedOutEventAttributes) return { kind: 'timed_out' }
    const terminated = event.workflowExecutionTerminatedEventAttributes
    if (terminated) {
      const [reason] = await this.#values(terminated.details)
      return { kind: 'terminated', reason: typeof reason === 'string' ? reason : (terminated.reason ?? '') }
    }
    const continued = event.workflowExecutionContinuedAsNewEventAttributes
    if (continued) return { kind: 'continued', newRunId: continued.newExecutionRunId ?? '' }
    const options = event.workflowExecutionOptionsUpdatedEventAttributes
    const version = options?.versioningOverride?.pinned?.version ?? options?.versioningOverride
    const buildId = version && 'buildId' in version ? version.buildId : undefined
    return buildId ? { kind: 'moved', buildId } : undefined
  }

  async #failed(failure: Failure | null | undefined): Promise<Fact> {
    const error = await this.#error(failure, 'workflow_failed')
    const [detail] = await this.#values(failure?.applicationFailureInfo?.details)
    const reason = textIn(detail, 'reason') ?? 'workflow_failed'
    return { kind: 'failed', reason, error: { code: error.code, message: error.message } }
  }

  async #ofStep(event: Event): Promise<Fact | undefined> {
    const scheduled = event.activityTaskScheduledEventAttributes
    if (scheduled) {
      const [input = null, meta] = await this.#values(scheduled.input)
      // Border cast: the adapter alone schedules activities, with this as their second argument.
      return { kind: 'step_scheduled', input, meta: meta as unknown as StepMeta }
    }
    const cancelled = event.activityTaskCancelRequestedEventAttributes
    if (cancelled) return { kind: 'step_cancelled', scheduledId: Number(cancelled.scheduledEventId ?? 0) }
    const completed = event.activityTaskCompletedEventAttributes
    if (completed) {
      const [result = null] = await this.#values(completed.result)
      const scheduledId = Number(completed.scheduledEventId ?? 0)
      return { kind: 'step_ended', scheduledId, ending: { kind: 'completed', result } }
    }
    const failed = event.activityTaskFailedEventAttributes
    if (failed) {
      return {
        kind: 'step_ended',
        scheduledId: Number(failed.scheduledEventId ?? 0),
        ending: await this.#ending(failed.failure),
      }
    }
    const late = event.activityTaskTimedOutEventAttributes
    if (late) {
      return {
        kind: 'step_ended',
        scheduledId: Number(late.scheduledEventId ?? 0),
        ending: lateEnding(late.failure),
      }
    }
    const marker = event.markerRecordedEventAttributes
    return marker?.markerName === inlineMarkerName ? this.#inline(event, marker) : undefined
  }

  /** What the core writes of a local activity. Its times are those of the worker: they lie within its workflow task. */
  async #inline(event: Event, { details, failure }: Marker): Promise<Fact> {
    const [input = null, meta] = await this.#values(details?.input)
    const [result = null] = failure ? [] : await this.#values(details?.result)
    const [data] = (details?.data?.payloads ?? []).map(jsonOf)
    const recordedMs = msOf(event.eventTime)
    const endedMs = timeIn(data, 'complete_time') ?? recordedMs
    const startedMs = timeIn(data, 'original_schedule_time') ?? endedMs
    const ending: InlineEnding = failure ? await this.#inlineEnding(failure) : { kind: 'completed', result }
    // Border cast: the adapter alone asks for local activities, with this as their second argument.
    const asked = { input, meta: meta as unknown as StepMeta }
    return { kind: 'step_inline', ...asked, startedMs, endedMs, ending }
  }

  async #inlineEnding(failure: Failure): Promise<InlineEnding> {
    if (failure.canceledFailureInfo) return { kind: 'cancelled' }
    if (failure.timeoutFailureInfo) return lateEnding(failure)
    if (failure.applicationFailureInfo?.type === elsewhere) return { kind: 'elsewhere' }
    return this.#ending(failure)
  }

  async #ofTimer(event: Event): Promise<Fact | undefined> {
    const started = event.timerStartedEventAttributes
    if (started) {
      const summary = event.userMetadata?.summary
      const [text] = summary ? await this.#values({ payloads: [summary] }) : []
      const [name = 'sleep', command = '0'] = typeof text === 'string' ? text.split(' ') : []
      const fireAtMs = msOf(event.eventTime) + durationMs(started.startToFireTimeout)
      return { kind: 'timer_started', name, command: Number(command), fireAtMs }
    }
    const fired = event.timerFiredEventAttributes
    if (fired) return { kind: 'timer_fired', startedId: Number(fired.startedEventId ?? 0) }
    const cancelled = event.timerCanceledEventAttributes
    if (cancelled) return { kind: 'timer_cancelled', startedId: Number(cancelled.startedEventId ?? 0) }
    return undefined
  }

  async #ofChild(event: Event): Promise<Fact | undefined> {
    const asked = event.startChildWorkflowExecutionInitiatedEventAttributes
    if (asked) {
      const [input = null, started, meta] = await this.#values(asked.input)
      return {
        kind: 'child_asked',
        runId: asked.workflowId ?? '',
        workflow: asked.workflowType?.name ?? '',
        input,
        timeoutSeconds: Math.ceil(durationMs(asked.workflowExecutionTimeout) / 1000),
        traceparent: traceIn(asked.header?.fields ?? {}),
        // Border cast: the adapter alone starts children, with this as their third argument.
        meta: meta as unknown as ChildMeta,
        started: asStarted(started),
      }
    }
    const cancelled = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes
    if (cancelled) return { kind: 'child_cancelled', runId: cancelled.workflowExecution?.workflowId ?? '' }
    const completed = event.childWorkflowExecutionCompletedEventAttributes
    if (completed) {
      const [result = null] = await this.#values(completed.result)
      return childEnded(completed, { kind: 'completed', result })
    }
    const failed = event.childWorkflowExecutionFailedEventAttributes
    if (failed)
      return childEnded(failed, { kind: 'failed', error: await this.#error(failed.failure, 'child_failed') })
    const other = otherChildEnd(event)
    return other && childEnded(other.attributes, { kind: 'failed', error: other.error })
  }

  async #ofMessage(event: Event): Promise<Fact | undefined> {
    const signaled = event.workflowExecutionSignaledEventAttributes
    if (signaled) {
      const [payload = null, meta] = await this.#values(signaled.input)
      return { kind: 'signaled', signal: signaled.signalName ?? '', payload, meta: asMeta(meta) }
    }
    const cancel = event.workflowExecutionCancelRequestedEventAttributes
    if (cancel)
      return { kind: 'cancel_requested', reason: cancel.cause ?? '', actor: cancel.identity ?? undefined }
    const noted = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.[noteKey]
    if (noted) {
      const [note] = await this.#values({ payloads: [noted] })
      // Border cast: the adapter alone writes this memo.
      return { kind: 'noted', note: note as unknown as Extract<Fact, { kind: 'noted' }>['note'] }
    }
    const marker = event.markerRecordedEventAttributes
    if (marker?.markerName === 'core_patch') {
      const [patch] = await this.#values(marker.details?.['patch-data'])
      return { kind: 'patched', id: textIn(patch, 'id') ?? '' }
    }
    return this.#ofUpdate(event)
  }

  async #ofUpdate(event: Event): Promise<Fact | undefined> {
    const accepted = event.workflowExecutionUpdateAcceptedEventAttributes
    if (accepted) {
      const { meta, input } = accepted.acceptedRequest ?? {}
      const [payload = null, given] = await this.#values(input?.args)
      const names = { update: input?.name ?? '', updateId: meta?.updateId ?? '' }
      return { kind: 'update_accepted', ...names, payload, meta: asMeta(given) }
    }
    const ended = event.workflowExecutionUpdateCompletedEventAttributes
    if (!ended) return undefined
    const acceptedId = Number(ended.acceptedEventId ?? 0)
    const { success, failure } = ended.outcome ?? {}
    if (failure) {
      return {
        kind: 'update_ended',
        acceptedId,
        ending: { kind: 'failed', error: await this.#error(failure, 'update_failed') },
      }
    }
    return {
      kind: 'update_ended',
      acceptedId,
      ending: { kind: 'completed', result: (await this.#values(success))[0] ?? null },
    }
  }

  async #ending(failure: Failure | null | undefined): Promise<Ending> {
    const type = failure?.applicationFailureInfo?.type
    if (type === cutOff) return { kind: 'cut' }
    if (type === workerMissing) return { kind: 'missing' }
    return { kind: 'failed', error: await this.#error(failure, 'step_error') }
  }

  async #error(failure: Failure | null | undefined, otherwise: string): Promise<ErrorData> {
    const info = failure?.applicationFailureInfo
    const [detail] = await this.#values(info?.details)
    const retryable =
      typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? detail.retryable : undefined
    const cause = textIn(detail, 'cause')
    return {
      code: info?.type || otherwise,
      message: await this.#message(failure),
      ...(typeof retryable === 'boolean' ? { retryable } : {}),
      ...(cause === undefined ? {} : { cause }),
    }
  }

  async #taskFailed(failure: Failure | null | undefined, cause: number | null | undefined): Promise<Fact> {
    // A worker that was told to stop, or a task that was reset, says nothing of the definition.
    const isFault = cause !== null && cause !== undefined && faults.has(cause)
    return isFault ? { kind: 'task_failed', message: await this.#message(failure) } : { kind: 'other' }
  }

  /** Ours are encrypted; a server's own are not. */
  async #message(failure: Failure | null | undefined): Promise<string> {
    const encoded = failure?.encodedAttributes
    const [attributes] = encoded ? await this.#values({ payloads: [encoded] }) : []
    return textIn(attributes, 'message') ?? failure?.message ?? ''
  }

  async #values(payloads: Payloads | null | undefined): Promise<Json[]> {
    let encoded = payloads?.payloads ?? []
    if (encoded.length === 0) return []
    for (const codec of this.#codecs.toReversed()) {
      // Border cast: the API's payloads are those of the codec, with other names for absent fields.
      encoded = await codec.decode(encoded as Parameters<PayloadCodec['decode']>[0])
    }
    return encoded.map(jsonOf)
  }
}

/** Stands in the log for a value that another tool sent, and that is no JSON. */
export const notJson = '(not JSON, and so not kept in the log)'

/** Everything that is written here is plain JSON; what others send may be anything, and must not stop the log. */
function jsonOf({ metadata, data }: Payload): Json {
  const encoding = Buffer.from(metadata?.encoding ?? []).toString()
  if (encoding === 'binary/null' || !data) return null
  try {
    return JSON.parse(Buffer.from(data).toString())
  } catch {
    return notJson
  }
}

/** By this a server names the task that it gives to a worker in answer to the end of the one before. */
const goesOnRequest = 'request-from-RespondWorkflowTaskCompleted'

/** Of temporal.api.enums.v1.WorkflowTaskFailedCause. */
const [unhandled, badSearchAttributes, nonDeterministic] = [14, 23, 24]
const faults: ReadonlySet<number> = new Set([unhandled, badSearchAttributes, nonDeterministic])

function lateEnding(failure: Failure | null | undefined): Ending {
  // Of temporal.api.enums.v1.TimeoutType: a worker that gives no sign of life is dead.
  if (failure?.timeoutFailureInfo?.timeoutType === 4) return { kind: 'cut' }
  return {
    kind: 'failed',
    error: { code: 'step_timed_out', message: failure?.message ?? '', retryable: true },
  }
}

function childEnded({ initiatedEventId }: { initiatedEventId?: unknown }, ending: Ending): Fact {
  return { kind: 'child_ended', initiatedId: Number(initiatedEventId ?? 0), ending }
}

function otherChildEnd(
  event: Event,
): { attributes: { initiatedEventId?: unknown }; error: ErrorData } | undefined {
  const cancelled = event.childWorkflowExecutionCanceledEventAttributes
  if (cancelled)
    return { attributes: cancelled, error: { code: 'child_cancelled', message: 'The child was cancelled.' } }
  const terminated = event.childWorkflowExecutionTerminatedEventAttributes
  if (terminated)
    return { attributes: terminated, error: { code: 'child_cancelled', message: 'The child was cancelled.' } }
  const late = event.childWorkflowExecutionTimedOutEventAttributes
  const message = 'The child took longer than its limit.'
  if (late) return { attributes: late, error: { code: 'child_timed_out', message } }
  const refused = event.startChildWorkflowExecutionFailedEventAttributes
  if (refused)
    return {
      attributes: refused,
      error: { code: 'child_failed', message: 'The child could not be started.' },
    }
  return undefined
}

/** The workflow task that an event is a command of. */
function taskOf(event: Event): number | undefined {
  for (const [name, value] of Object.entries(event)) {
    if (!name.endsWith('EventAttributes') || typeof value !== 'object' || value === null) continue
    const id: unknown =
      'workflowTaskCompletedEventId' in value ? value.workflowTaskCompletedEventId : undefined
    if (id !== undefined && id !== null && Number(id) > 0) return Number(id)
  }
  return undefined
}

type Seconds = { seconds?: unknown; nanos?: unknown } | null | undefined

function durationMs(duration: Seconds): number {
  return Number(duration?.seconds ?? 0) * 1000 + Math.round(Number(duration?.nanos ?? 0) / 1e6)
}

/** Whole milliseconds: the log has no finer times. */
export function msOf(time: Seconds): number {
  return Number(time?.seconds ?? 0) * 1000 + Math.floor(Number(time?.nanos ?? 0) / 1e6)
}

/** The core writes its own times as seconds and nanoseconds. */
function timeIn(value: Json | undefined, name: string): number | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const time = value[name]
  return typeof time === 'object' && time !== null && !Array.isArray(time) ? msOf(time) : undefined
}

function textIn(value: Json | undefined, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const text = value[name]
  return typeof text === 'string' ? text : undefined
}

function asStarted(given: Json | undefined): StartedWith {
  // Border cast: whoever starts a run here gives this as its second argument.
  return (given ?? { attempt: 1, version: '' }) as unknown as StartedWith
}

function asMeta(given: Json | undefined): MessageMeta {
  // Border cast: messages that come from elsewhere have none.
  return (typeof given === 'object' && given !== null ? given : {}) as MessageMeta
}
