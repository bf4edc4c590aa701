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

/** What moves a run: Kyros itself, or a Temporal cluster. */
export const runEngines = ['embedded', 'temporal'] as const
export type RunEngine = (typeof runEngines)[number]

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

export const stepKinds = ['step', 'timer', 'waitpoint', 'child'] as const

/** One step of a run, or something else it waits for; `key` is unique within the run, `name` is the workflow's word for it. */
export const Step = Type.Object({
  key: Type.String(),
  name: Type.String(),
  kind: Type.Enum(stepKinds),
  command: Type.Integer(),
  status: Type.Enum(stepStatuses),
  input: Type.Unknown(),
  output: Type.Unknown(),
  max_attempts: Type.Integer(),
  scheduled_at: Type.String({ format: 'date-time' }),
  started_at: nullableTime,
  completed_at: nullableTime,
  fire_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'When a timer fires or a waitpoint expires',
  }),
  attempts: Type.Array(Attempt),
  title: Type.Optional(Type.String({ description: 'What a waitpoint asks for, for people' })),
  child_run_id: Type.Optional(Type.String({ description: 'The run of a child' })),
  error: Type.Optional(Failure),
})
export type Step = Static<typeof Step>

export const RunAttributes = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  { description: 'What the definition says the run can be found by' },
)

/** Limits of a run (left out: none) and what it used so far of those that are counted. */
export const RunBudget = Type.Object({
  time_ms: Type.Optional(Type.Number()),
  tokens: Type.Optional(Type.Number()),
  cost_usd: Type.Optional(Type.Number()),
  used_tokens: Type.Number(),
  used_cost_usd: Type.Number(),
})
export type RunBudget = Static<typeof RunBudget>

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
  attributes: Type.Optional(RunAttributes),
  budget: Type.Optional(RunBudget),
  continued: Type.Optional(
    Type.Integer({ description: 'How often it continued as new; its steps are those since the last time' }),
  ),
  forked_from: Type.Optional(
    Type.Object(
      { run_id: Type.String(), step: Type.String() },
      { description: 'Run and step it began from' },
    ),
  ),
  paused: Type.Optional(Type.Boolean({ description: 'Somebody asked it to begin no new step' })),
  stirred: Type.Optional(
    Type.Boolean({ description: 'Something came since it began to wait, and may be about to move it' }),
  ),
  engine: Type.Optional(
    Type.Literal('temporal', { description: 'A Temporal cluster runs it; left out: Kyros itself does' }),
  ),
  temporal_id: Type.Optional(
    Type.String({ description: 'Its workflow id on that cluster, which is the id of the run' }),
  ),
}

export const RunSummary = Type.Object(runFields, { $id: 'RunSummary' })
export type RunSummary = Static<typeof RunSummary>

export const Run = Type.Object(
  {
    ...runFields,
    input: Type.Unknown(),
    result: Type.Unknown(),
    steps: Type.Array(Step),
    steps_omitted: Type.Optional(
      Type.Integer({
        description:
          'How many earlier steps are left out of `steps`, because an answer holds only the latest 2,000',
      }),
    ),
    events_url: Type.Optional(
      Type.String({ description: 'Where all events of the run are, when steps are left out' }),
    ),
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
