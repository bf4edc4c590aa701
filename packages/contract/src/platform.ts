import { type Static, Type } from 'typebox'
import { PageQuery } from './page.ts'

export const Health = Type.Object({
  status: Type.Union([Type.Literal('healthy'), Type.Literal('degraded'), Type.Literal('unhealthy')]),
  orchestrator: Type.String(),
  overall: Type.String(),
  version: Type.String(),
  services: Type.Record(
    Type.String(),
    Type.Object({
      status: Type.String(),
      details: Type.Record(Type.String(), Type.Unknown()),
      url: Type.String(),
      error: Type.Optional(Type.String()),
    }),
  ),
})
export type Health = Static<typeof Health>

export const Readiness = Type.Object({
  ready: Type.Boolean(),
  status: Type.String(),
  checks: Type.Optional(
    Type.Array(
      Type.Object({ name: Type.String(), status: Type.String(), detail: Type.Optional(Type.String()) }),
    ),
  ),
})
export type Readiness = Static<typeof Readiness>

export const EventQuery = Type.Object({
  type: Type.Optional(Type.String({ maxLength: 128 })),
  subject: Type.Optional(Type.String({ maxLength: 256 })),
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only events with a larger number' })),
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'Only events with a smaller number' })),
  ...PageQuery,
})
export type EventQuery = Static<typeof EventQuery>

/** Both shapes the documents name: `{type, payload}` and `{event, target, details}`. */
export const EventEmit = Type.Object(
  {
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z][A-Za-z0-9_.:-]*$' })),
    payload: Type.Optional(Type.Unknown()),
    event: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z][A-Za-z0-9_.:-]*$' }),
    ),
    target: Type.Optional(Type.String({ maxLength: 256 })),
    details: Type.Optional(Type.Unknown()),
  },
  { $id: 'EventEmit', additionalProperties: false },
)
export type EventEmit = Static<typeof EventEmit>

/** What the console's Home shows; counts are over the last 24 hours where they say so. */
export const Stats = Type.Object(
  {
    as_of_seq: Type.Integer(),
    jobs: Type.Record(Type.String(), Type.Integer()),
    runs: Type.Record(Type.String(), Type.Integer()),
    last_24h: Type.Object({
      started: Type.Integer(),
      completed: Type.Integer(),
      failed: Type.Integer(),
      success_rate: Type.Union([Type.Number(), Type.Null()]),
      p95_seconds: Type.Union([Type.Number(), Type.Null()]),
      hourly: Type.Array(
        Type.Object({ hour: Type.String(), completed: Type.Integer(), failed: Type.Integer() }),
      ),
    }),
  },
  { $id: 'Stats' },
)
export type Stats = Static<typeof Stats>

const engineCounts = {
  takes_new_runs: Type.Boolean(),
  runs: Type.Record(Type.String(), Type.Integer(), { description: 'Those that have not ended, by status' }),
}

const ClusterStatus = Type.Object({
  address: Type.String(),
  namespace: Type.String(),
  task_queue: Type.String(),
  state: Type.Enum(['healthy', 'faulty', 'unknown']),
  server_version: Type.Union([Type.String(), Type.Null()]),
  fault: Type.Union([Type.String(), Type.Null()]),
  workers: Type.Array(
    Type.Object({
      identity: Type.String(),
      build: Type.Union([Type.String(), Type.Null()]),
      last_seen_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    }),
    { description: 'Who asked for work in the last five minutes' },
  ),
  builds: Type.Array(
    Type.Object({ build: Type.String(), runs: Type.Integer(), has_worker: Type.Boolean() }),
    { description: 'Versions that runs are on which have not ended, the newest first' },
  ),
})

/** What moves runs, and how the cluster is where there is one. */
export const EngineStatus = Type.Object(
  {
    embedded: Type.Object(engineCounts),
    temporal: Type.Object({
      ...engineCounts,
      waiting_for_dispatch: Type.Integer({
        description: 'New runs that are accepted and have not begun on the cluster',
      }),
      cluster: Type.Union([ClusterStatus, Type.Null()]),
    }),
  },
  { $id: 'EngineStatus' },
)
export type EngineStatus = Static<typeof EngineStatus>
