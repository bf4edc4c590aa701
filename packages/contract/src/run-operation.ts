import { type Static, Type } from 'typebox'
import { Id } from './id.ts'

/** The name of a signal, query, update or stream of a definition. */
export const MessageName = Type.String({ minLength: 1, maxLength: 128 })

export const RunFork = Type.Object(
  {
    from_step: Type.String({
      minLength: 1,
      maxLength: 256,
      description:
        'Key of the first step that is done anew; what came before it is taken over with its results',
    }),
    new_job: Type.Optional(
      Type.Boolean({
        description:
          'Make a job of its own, which is possible while the original goes on; else the new run joins the job of the original',
      }),
    ),
  },
  { $id: 'RunFork', additionalProperties: false },
)
export type RunFork = Static<typeof RunFork>

export const RunUpgrade = Type.Object(
  {
    definition: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description: 'sha256 of the bundle to move to; the newest of the workflow when left out',
      }),
    ),
  },
  { $id: 'RunUpgrade', additionalProperties: false },
)
export type RunUpgrade = Static<typeof RunUpgrade>

export const RunUpgraded = Type.Object({
  run_id: Id,
  moved: Type.Boolean({ description: 'False when the run was on that definition already' }),
  definition: Type.String(),
  version: Type.String(),
  from: Type.String({ description: 'The definition it had before' }),
})
export type RunUpgraded = Static<typeof RunUpgraded>

const maxBudget = 1_000_000_000_000

export const BudgetChange = Type.Object(
  {
    time_ms: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: maxBudget,
        description: 'Limit of the time in which steps of the run are attempted, each moment counted once',
      }),
    ),
    tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: maxBudget })),
    cost_usd: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: maxBudget })),
  },
  { $id: 'BudgetChange', additionalProperties: false, minProperties: 1 },
)
export type BudgetChange = Static<typeof BudgetChange>

/** A part of what steps write to a stream of their run. */
export const StreamPiece = Type.Object(
  {
    offset: Type.Integer({
      minimum: 1,
      description: 'Position in the stream, dense from 1; the id on the wire',
    }),
    time: Type.String({ format: 'date-time' }),
    step: Type.String({ description: 'Key of the step that wrote it' }),
    attempt: Type.Integer({
      description: 'A higher one, or the same after a crash, begins the stream of its step from the front',
    }),
    data: Type.Unknown(),
  },
  { $id: 'StreamPiece' },
)
export type StreamPiece = Static<typeof StreamPiece>

export const WaitpointView = Type.Object(
  {
    name: Type.String(),
    title: Type.Union([Type.String(), Type.Null()], { description: 'What is asked for, for people' }),
    is_open: Type.Boolean({ description: 'Whether an answer is still taken' }),
    expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  },
  { $id: 'WaitpointView' },
)
export type WaitpointView = Static<typeof WaitpointView>

/** One definition of a workflow that is kept here. */
export const WorkflowVersion = Type.Object(
  {
    workflow: Type.String(),
    version: Type.String(),
    definition: Type.String({ description: 'sha256 of the bundle' }),
    created_at: Type.String({ format: 'date-time' }),
    is_newest: Type.Boolean({ description: 'Whether a run that is started now runs it' }),
    live_runs: Type.Integer({ description: 'Runs on it that have not ended' }),
  },
  { $id: 'WorkflowVersion' },
)
export type WorkflowVersion = Static<typeof WorkflowVersion>
