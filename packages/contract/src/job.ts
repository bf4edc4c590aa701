import { type Static, Type } from 'typebox'
import { Id } from './id.ts'
import { maxPageSize, PageQuery } from './page.ts'
import { Failure, Priority, RunStatusSchema, runEngines } from './run.ts'

const nullable = Type.Union([Type.String(), Type.Null()])
const nullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])

/** POST /api/v1/jobs. At least one of title, task and workflow is needed. */
export const JobSubmit = Type.Object(
  {
    title: Type.Optional(
      // Counted after trimming: the schema leaves room for what is trimmed away.
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description: 'What the job is called; 1 to 255 characters after trimming',
      }),
    ),
    task: Type.Optional(
      Type.String({ minLength: 1, maxLength: 65_536, description: 'What is to be done, in words' }),
    ),
    agent_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    workflow: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    input: Type.Optional(Type.Unknown()),
    config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    project_id: Type.Optional(Id),
    priority: Type.Optional(Priority),
    run_at: Type.Optional(Type.String({ format: 'date-time' })),
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { $id: 'JobSubmit', additionalProperties: false },
)
export type JobSubmit = Static<typeof JobSubmit>

export const Job = Type.Object(
  {
    id: Id,
    title: Type.String(),
    name: Type.String({ description: 'The same as `title`' }),
    task: nullable,
    agent_id: nullable,
    workflow: nullable,
    status: RunStatusSchema,
    reason: nullable,
    reason_detail: nullable,
    priority: Priority,
    project_id: Id,
    run_id: Id,
    attempt: Type.Integer(),
    created_by: Type.String(),
    created_at: Type.String({ format: 'date-time' }),
    updated_at: nullableTime,
    started_at: nullableTime,
    completed_at: nullableTime,
    steps_total: Type.Integer(),
    steps_completed: Type.Integer(),
    input: Type.Unknown(),
    metadata: Type.Record(Type.String(), Type.Unknown()),
    result: Type.Unknown(),
    error: Type.Union([Failure, Type.Null()]),
  },
  { $id: 'Job' },
)
export type Job = Static<typeof Job>

export const JobQuery = Type.Object({
  status: Type.Optional(RunStatusSchema),
  agent_id: Type.Optional(Type.String()),
  project_id: Type.Optional(Id),
  workflow: Type.Optional(Type.String()),
  created_after: Type.Optional(Type.String({ format: 'date-time' })),
  q: Type.Optional(Type.String({ maxLength: 200, description: 'Words in the title or the task' })),
  sort: Type.Optional(Type.Union([Type.Literal('-created_at'), Type.Literal('created_at')])),
  ...PageQuery,
})
export type JobQuery = Static<typeof JobQuery>

export const RunStart = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 255 }),
    type: Type.String({ minLength: 1, maxLength: 128 }),
    project_id: Type.Optional(Id),
    description: Type.Optional(Type.String({ maxLength: 65_536 })),
    priority: Type.Optional(Priority),
    input: Type.Optional(Type.Unknown()),
    config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    max_retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    timeout_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
  },
  { $id: 'RunStart', additionalProperties: false },
)
export type RunStart = Static<typeof RunStart>

export const RunStarted = Type.Object({
  workflow_id: Id,
  run_id: Id,
  job_id: Id,
  status: RunStatusSchema,
  temporal_id: Type.Optional(
    Type.String({ description: 'Its workflow id on the Temporal cluster, where it begins on one' }),
  ),
})
export type RunStarted = Static<typeof RunStarted>

/** A bulk action takes no more runs than a page of a list holds. */
const maxBulkRuns = maxPageSize

export const bulkActions = ['cancel', 'retry', 'pause', 'resume', 'upgrade'] as const

export const BulkRuns = Type.Object(
  {
    action: Type.Enum(bulkActions),
    ids: Type.Array(Id, { minItems: 1, maxItems: maxBulkRuns, uniqueItems: true }),
  },
  { $id: 'BulkRuns', additionalProperties: false },
)
export type BulkRuns = Static<typeof BulkRuns>

/** What became of one run of a bulk action. */
export const BulkResult = Type.Object({
  id: Id,
  ok: Type.Boolean(),
  status: Type.Optional(RunStatusSchema),
  run_id: Type.Optional(Id),
  code: Type.Optional(Type.String({ description: 'The problem that kept it from being done' })),
  detail: Type.Optional(Type.String()),
})
export type BulkResult = Static<typeof BulkResult>

const AttributeFilter = Type.String({
  pattern: '^[^=]{1,128}=',
  examples: ['customer=acme'],
  maxLength: 1_200,
})

export const RunQuery = Type.Object({
  project_id: Type.Optional(Id),
  job_id: Type.Optional(Id),
  status: Type.Optional(RunStatusSchema),
  type: Type.Optional(Type.String()),
  created_by: Type.Optional(Type.String()),
  engine: Type.Optional(Type.Enum(runEngines, { description: 'What moves it' })),
  start_date: Type.Optional(Type.String({ format: 'date-time' })),
  end_date: Type.Optional(Type.String({ format: 'date-time' })),
  attribute: Type.Optional(
    Type.Union([AttributeFilter, Type.Array(AttributeFilter, { maxItems: 10 })], {
      description: 'Only runs with this search attribute, as `name=value`; several must all hold',
    }),
  ),
  q: Type.Optional(Type.String({ maxLength: 200 })),
  ...PageQuery,
})
export type RunQuery = Static<typeof RunQuery>

/** The attributes that a query asks for. */
export function attributesOf({
  attribute = [],
}: Pick<RunQuery, 'attribute'>): { name: string; value: string }[] {
  return [attribute].flat().map((text) => {
    const at = text.indexOf('=')
    return { name: text.slice(0, at), value: text.slice(at + 1) }
  })
}

export const RunMetrics = Type.Object({
  workflow_id: Id,
  status: RunStatusSchema,
  started_at: nullableTime,
  completed_at: nullableTime,
  duration_seconds: Type.Union([Type.Number(), Type.Null()]),
  retry_count: Type.Integer(),
  step_metrics: Type.Array(
    Type.Object({
      name: Type.String(),
      status: Type.String(),
      started_at: nullableTime,
      completed_at: nullableTime,
      duration_ms: Type.Union([Type.Integer(), Type.Null()]),
      retry_count: Type.Integer(),
    }),
  ),
  steps_omitted: Type.Optional(
    Type.Integer({ description: 'How many earlier steps are not counted: only the latest 2,000 are' }),
  ),
  resource_usage: Type.Record(Type.String(), Type.Unknown()),
})
export type RunMetrics = Static<typeof RunMetrics>

/** Why a run does not move, and what would move it. */
export const Why = Type.Object({
  run_id: Id,
  status: RunStatusSchema,
  waits_for: Type.Array(
    Type.Object({
      kind: Type.String({ description: 'For programs: step, retry, queue, signal, timer, paused, …' }),
      name: Type.String({ description: 'Of the step, queue, key, signal, waitpoint, workflow or person' }),
      detail: Type.String({ description: 'For people' }),
      until: Type.Optional(
        Type.String({ format: 'date-time', description: 'When it goes on without anybody' }),
      ),
    }),
  ),
  since: nullableTime,
  what_would_move_it: Type.String(),
})
export type Why = Static<typeof Why>

export const WorkflowType = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    definition: Type.String(),
    title: Type.String(),
    description: Type.String(),
    input_schema: Type.Record(Type.String(), Type.Unknown()),
    steps: Type.Array(Type.Object({ name: Type.String(), description: Type.String() })),
  },
  { $id: 'WorkflowType' },
)
export type WorkflowType = Static<typeof WorkflowType>
