import { type Static, Type } from 'typebox'
import { Id } from './id.ts'
import { runStatuses } from './run-status.ts'

const nullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])

export const RunStatusSchema = Type.Enum(runStatuses)
export const priorities = ['low', 'medium', 'high', 'critical'] as const
export const Priority = Type.Enum(priorities)

export const Failure = Type.Object({
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Optional(Type.Boolean()),
  cause: Type.Optional(Type.String()),
})
export type Failure = Static<typeof Failure>

export const attemptStatuses = ['running', 'completed', 'failed', 'cancelled'] as const

export const Attempt = Type.Object({
  attempt: Type.Integer({ minimum: 1 }),
  status: Type.Enum(attemptStatuses),
  started_at: Type.String({ format: 'date-time' }),
  completed_at: nullableTime,
  error: Type.Union([Failure, Type.Null()]),
  retry_at: nullableTime,
  earlier_starts: Type.Optional(
    Type.Array(Type.String({ format: 'date-time' }), {
      description:
        'When it began before and was cut off, because the server stopped or crashed; the last twenty. `started_at` is the start that counts',
    }),
  ),
})
export type Attempt = Static<typeof Attempt>

export const stepStatuses = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const

/** One step or timer of a run; `key` is unique within the run, `name` is the workflow's word for it. */
export const Step = Type.Object({
  key: Type.String(),
  name: Type.String(),
  kind: Type.Union([Type.Literal('step'), Type.Literal('timer')]),
  command: Type.Integer(),
  status: Type.Enum(stepStatuses),
  input: Type.Unknown(),
  output: Type.Unknown(),
  max_attempts: Type.Integer(),
  scheduled_at: Type.String({ format: 'date-time' }),
  started_at: nullableTime,
  completed_at: nullableTime,
  fire_at: nullableTime,
  attempts: Type.Array(Attempt),
})
export type Step = Static<typeof Step>

const runFields = {
  id: Id,
  run_id: Id,
  workflow_id: Id,
  job_id: Id,
  project_id: Id,
  name: Type.String(),
  type: Type.String({ description: 'The workflow that runs' }),
  version: Type.String(),
  definition: Type.String({ description: 'sha256 of the bundle that runs' }),
  status: RunStatusSchema,
  reason: Type.Union([Type.String(), Type.Null()]),
  reason_detail: Type.Union([Type.String(), Type.Null()]),
  waiting_until: nullableTime,
  cancel_requested: Type.Boolean(),
  priority: Priority,
  attempt: Type.Integer({ description: '1 for the first run of a job, one more for each retry' }),
  max_retries: Type.Integer(),
  timeout_seconds: Type.Integer(),
  created_by: Type.String(),
  created_at: Type.String({ format: 'date-time' }),
  started_at: nullableTime,
  completed_at: nullableTime,
  last_seq: Type.Integer(),
  run_seq: Type.Integer(),
  steps_total: Type.Integer(),
  steps_completed: Type.Integer(),
  error: Type.Union([Failure, Type.Null()]),
}

export const RunSummary = Type.Object(runFields, { $id: 'RunSummary' })
export type RunSummary = Static<typeof RunSummary>

export const Run = Type.Object(
  {
    ...runFields,
    input: Type.Unknown(),
    result: Type.Unknown(),
    steps: Type.Array(Step),
  },
  { $id: 'Run' },
)
export type Run = Static<typeof Run>

export const LogLine = Type.Object(
  {
    line: Type.Integer({ description: 'Position in the log of the run, dense from 1' }),
    time: Type.String({ format: 'date-time' }),
    level: Type.Union([Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')]),
    step: Type.Union([Type.String(), Type.Null()]),
    attempt: Type.Union([Type.Integer(), Type.Null()]),
    message: Type.String(),
  },
  { $id: 'LogLine' },
)
export type LogLine = Static<typeof LogLine>

export const Artifact = Type.Object(
  {
    name: Type.String(),
    media_type: Type.String(),
    sha256: Type.String(),
    bytes: Type.Integer(),
    created_at: Type.String({ format: 'date-time' }),
  },
  { $id: 'Artifact' },
)
export type Artifact = Static<typeof Artifact>
