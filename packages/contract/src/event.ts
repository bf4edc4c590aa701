import { type Static, Type } from 'typebox'
import type { Role } from './auth.ts'
import { Id } from './id.ts'
import type { Json } from './json.ts'

/** Event types that only the platform writes. Anything else a caller may emit through POST /api/v1/events. */
export const runEventTypes = [
  'run.created',
  'run.started',
  'run.waiting',
  'run.resumed',
  'run.cancel_requested',
  'run.completed',
  'run.failed',
  'run.cancelled',
  'run.timed_out',
  'run.pause_requested',
  'run.resume_requested',
  'run.continued',
  'run.upgraded',
  'run.forked',
  'run.budget_set',
  'step.scheduled',
  'step.started',
  'step.completed',
  'step.failed',
  'step.cancelled',
  'timer.started',
  'timer.fired',
  'timer.cancelled',
  'signal.received',
  'value.recorded',
  'budget.used',
  'attributes.set',
  'waitpoint.created',
  'waitpoint.completed',
  'waitpoint.expired',
  'waitpoint.cancelled',
  'child.started',
  'child.completed',
  'child.failed',
  'child.cancelled',
  'update.accepted',
  'update.completed',
  'update.failed',
] as const
export type RunEventType = (typeof runEventTypes)[number]

const runEndTypes: ReadonlySet<string> = new Set<RunEventType>([
  'run.completed',
  'run.failed',
  'run.cancelled',
  'run.timed_out',
])

/** Whether a run ends with an event of this type. */
export function isRunEnd(type: string): boolean {
  return runEndTypes.has(type)
}

export const platformEventTypes = [
  'job.created',
  'job.deleted',
  'project.created',
  'user.created',
  'user.updated',
  'session.created',
  'session.refreshed',
  'session.revoked',
  'session.reused',
  'login.failed',
  'login.throttled',
  'api_key.created',
  'api_key.revoked',
  'definition.stored',
] as const
export type PlatformEventType = (typeof platformEventTypes)[number]

const reservedPrefixes = [
  'run.',
  'step.',
  'timer.',
  'signal.',
  'value.',
  'budget.',
  'attributes.',
  'waitpoint.',
  'child.',
  'update.',
  'job.',
  'project.',
  'user.',
  'session.',
  'login.',
  'api_key.',
  'definition.',
  'kyros.',
]

export function isReservedEventType(type: string): boolean {
  return reservedPrefixes.some((prefix) => type.startsWith(prefix))
}

const securityPrefixes = ['session.', 'login.', 'user.', 'api_key.']

/** Facts about people and their credentials: in the log like all others, and readable by admins alone. */
export function mayReadEvent(role: Role, event: { type: string }): boolean {
  return role === 'admin' || !securityPrefixes.some((prefix) => event.type.startsWith(prefix))
}

/**
 * An immutable, numbered fact. `seq` is global and the id on every stream; `run_seq` is dense within one run.
 * `subject` names what it is about: `jobs/<id>`, `runs/<id>`, `users/<id>`, or the caller's own words.
 */
export const Event = Type.Object(
  {
    id: Id,
    seq: Type.Integer({ minimum: 1 }),
    run_seq: Type.Optional(Type.Integer({ minimum: 1 })),
    type: Type.String(),
    subject: Type.String(),
    job_id: Type.Optional(Id),
    run_id: Type.Optional(Id),
    actor: Type.Optional(Type.String({ description: 'Who caused it: a user, an API key, or `engine`' })),
    time: Type.String({ format: 'date-time' }),
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'Event' },
)
export type Event = Omit<Static<typeof Event>, 'data'> & { data: { [key: string]: Json } }

export type ErrorData = { code: string; message: string; retryable?: boolean; cause?: string }

/** What a run is found by: set by its definition, overwritten by name. */
export type Attributes = { [name: string]: string | number | boolean }

/** A signal that came before its handler, handed over to the next part of a run that continues as new. */
export type CarriedSignal = { signal: string; payload: Json }

/** What becomes of a child when its parent ends: stopped, left alone, or asked to clean up and end. */
export type ParentClose = 'cancel' | 'abandon' | 'request_cancel'

/** `depth`: how many runs stand above the child, 1 for the child of a run that has no parent; absent: not known. */
export type ParentLink = { run_id: string; command: number; parent_close: ParentClose; depth?: number }

/** Whose dice were rolled, and as which attempt, in what a fork took over: the run that came before all forks. */
export type ForkOrigin = { run_id: string; attempt: number }

/** What of a run outlives its parts. `control`: what people and limits did to it, in the engine's own words. */
export type RunBefore = {
  started_ms: number
  active_ms: number
  control?: Json
  inbox_ids: number[]
  /** Of the last signals that came under an Idempotency-Key. */
  signal_ids?: string[]
  parent?: ParentLink
  /** Children that are not wanted any more, and perhaps not told so yet. */
  leaving?: { run_id: string; parent_close: ParentClose }[]
  origin?: ForkOrigin
  traceparent?: string
}

type NoData = Record<never, never>

/**
 * What each event of a run says. `command` is the number of the workflow command (step, timer, waitpoint, child,
 * recorded value, attributes) that it belongs to: replay matches on (command, kind, name).
 */
export type RunEventData = {
  'run.created': {
    workflow: string
    version: string
    definition: string
    input: Json
    priority: string
    attempt: number
    max_retries: number
    timeout_seconds: number
    engine_flags: number
    sdk_version: string
    created_by: string
    retry_of?: string
    /** It is a child: of this run, asked for by this command, and what becomes of it when that ends. */
    parent?: ParentLink
    /** The W3C trace context of the request that asked for it. */
    traceparent?: string
  }
  'run.started': NoData
  'run.waiting': { reason: string; detail?: string; until?: string }
  'run.resumed': NoData
  'run.cancel_requested': { reason: string }
  'run.completed': { result: Json }
  'run.failed': { reason: string; error: ErrorData }
  'run.cancelled': { reason: string }
  'run.timed_out': { error: ErrorData }
  /** No new step begins from here on until it is resumed; what runs goes on. */
  'run.pause_requested': { inbox_id?: number }
  'run.resume_requested': { inbox_id?: number }
  /** The run goes on from a new input as if it began here: replay starts here and commands count from 1 again. */
  'run.continued': {
    input: Json
    definition: string
    version: string
    carried: CarriedSignal[]
    /** 1 for the first time, one more for each further. */
    part?: number
    /** The state that `loop` goes on with. */
    loop?: { state: Json }
    /** What the engine has to know of the parts before, so that it need not read them. */
    before?: RunBefore
    /** What moves the run from here on, where this part goes to another engine than the last. */
    engine?: 'temporal'
  }
  /** The run goes on with another bundle, which its history fits. `from`: the hash it had. */
  'run.upgraded': { definition: string; version: string; from: string }
  /** The run begins with what `from_run` had recorded before step `from_step` (a key); that prefix follows. */
  'run.forked': { from_run: string; from_step: string; origin?: ForkOrigin }
  /** Limits of the whole run; what is left out has no limit. A later one replaces an earlier one. */
  'run.budget_set': { time_ms?: number; tokens?: number; cost_usd?: number; inbox_id?: number }
  /** `mode` and the limit of an attempt are told of inline steps only. */
  'step.scheduled': {
    step: string
    key: string
    command: number
    input: Json
    max_attempts: number
    mode?: 'inline'
    start_to_close_ms?: number
  }
  'step.started': { step: string; key: string; command: number; attempt: number }
  'step.completed': { step: string; key: string; command: number; attempt: number; output: Json }
  'step.failed': {
    step: string
    key: string
    command: number
    attempt: number
    error: ErrorData
    retry_at?: string
  }
  /** `run_ended`: nobody cancelled it, the run just ended without it. */
  'step.cancelled': { step: string; key: string; command: number; attempt: number; run_ended?: true }
  'timer.started': { timer: string; command: number; fire_at: string }
  'timer.fired': { timer: string; command: number }
  'timer.cancelled': { timer: string; command: number; run_ended?: true }
  /**
   * `inbox_id`: the message of another process that it came by, `signal_id`: made of the sender's Idempotency-Key; by
   * either it is taken only once.
   */
  'signal.received': { signal: string; payload: Json; inbox_id?: number; signal_id?: string }
  /** A fact that only the first execution could know. `patch:<id>`: the definition took the new way here. */
  'value.recorded': { name: string; command: number; value: Json }
  /** Added to what was used before. */
  'budget.used': { tokens?: number; cost_usd?: number; inbox_id?: number }
  'attributes.set': { command: number; attributes: Attributes }
  'waitpoint.created': { waitpoint: string; command: number; title?: string; expires_at?: string }
  'waitpoint.completed': { waitpoint: string; command: number; payload: Json; inbox_id?: number }
  'waitpoint.expired': { waitpoint: string; command: number }
  'waitpoint.cancelled': { waitpoint: string; command: number; run_ended?: true }
  /** `child` is the workflow; its run exists since the commit of this event. */
  'child.started': {
    child: string
    key?: string
    command: number
    run_id: string
    parent_close: ParentClose
  }
  'child.completed': { child: string; command: number; run_id: string; result: Json }
  'child.failed': { child: string; command: number; run_id: string; error: ErrorData }
  /** The definition does not wait for it any more; `run_ended`: because the run ended. */
  'child.cancelled': { child: string; command: number; run_id: string; run_ended?: true }
  /** Passed its validation; its handler runs from here on. `update_id` is the caller's, unique within the run. */
  'update.accepted': { update: string; update_id: string; payload: Json; inbox_id?: number }
  'update.completed': { update: string; update_id: string; result: Json }
  'update.failed': { update: string; update_id: string; error: ErrorData }
}

/**
 * What an event says of its run. One of a run on Temporal says where it was read, too: `history` is `<part>/<event id>`,
 * the part of the run and the event of that part's Temporal history. No fold looks at it.
 */
export type RunFact<T extends RunEventType> = RunEventData[T] & { history?: string }

/** One variant per event type of a run, so that a switch on `type` narrows `data`. */
export type RunEvent = {
  [T in RunEventType]: {
    type: T
    seq: number
    run_seq: number
    run_id: string
    time: string
    data: RunFact<T>
  }
}[RunEventType]

const runEventTypeSet = new Set<string>(runEventTypes)

/** Whether events of this type belong to a run. */
export function isRunEventType(type: string): type is RunEventType {
  return runEventTypeSet.has(type)
}

/** Narrows a stored event; the store writes only what RunEventData describes, so the shape is trusted here. */
export function isRunEvent(event: { type: string; run_id?: string; run_seq?: number }): event is RunEvent {
  return isRunEventType(event.type) && event.run_id !== undefined && event.run_seq !== undefined
}
