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
] as const
export type RunEventType = (typeof runEventTypes)[number]

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

/**
 * What each event of a run says. `command` is the number of the workflow command (step, timer, recorded value)
 * that it belongs to: replay matches on (command, kind, name).
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
  }
  'run.started': Record<string, never>
  'run.waiting': { reason: string; detail?: string; until?: string }
  'run.resumed': Record<string, never>
  'run.cancel_requested': { reason: string }
  'run.completed': { result: Json }
  'run.failed': { reason: string; error: ErrorData }
  'run.cancelled': { reason: string }
  'run.timed_out': { error: ErrorData }
  'step.scheduled': { step: string; key: string; command: number; input: Json; max_attempts: number }
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
  /** `inbox_id`: the message of another process that it came by, so that it is taken only once. */
  'signal.received': { signal: string; payload: Json; inbox_id?: number }
  'value.recorded': { name: string; command: number; value: Json }
}

/** One variant per event type of a run, so that a switch on `type` narrows `data`. */
export type RunEvent = {
  [T in RunEventType]: {
    type: T
    seq: number
    run_seq: number
    run_id: string
    time: string
    data: RunEventData[T]
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
