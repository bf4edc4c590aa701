import { Type } from 'typebox'
import { routes, temporalProblems } from '../route.ts'

const open = Type.Record(Type.String(), Type.Unknown())

/** Older shapes of the same operations, kept as thin aliases for the clients that the documents describe. */
export const olderRoutes = routes({
  submitOlderJob: {
    method: 'POST',
    path: '/jobs',
    tag: 'Older shapes',
    summary: 'Submit a job for an agent; use POST /api/v1/jobs',
    permission: 'operator',
    body: Type.Object({
      agent_id: Type.String({ minLength: 1, maxLength: 128 }),
      task: Type.String({ minLength: 1, maxLength: 65_536 }),
    }),
    success: {
      status: 200,
      schema: Type.Object({ job_id: Type.String(), status: Type.Literal('accepted') }),
    },
    problems: [
      'idempotency_key_reused',
      'idempotency_key_in_flight',
      'idempotency_key_invalid',
      ...temporalProblems,
    ],
    idempotent: true,
  },
  listOlderJobs: {
    method: 'GET',
    path: '/jobs',
    tag: 'Older shapes',
    summary: "The console's page for browsers; else the list of GET /api/v1/jobs",
    permission: 'viewer',
    success: { status: 200, schema: open },
  },
  emitOlderEvent: {
    method: 'POST',
    path: '/events',
    tag: 'Older shapes',
    summary: 'Write an event; use POST /api/v1/events',
    permission: 'operator',
    body: Type.Object({
      type: Type.String({ minLength: 1, maxLength: 128 }),
      payload: Type.Record(Type.String(), Type.Unknown()),
    }),
    success: { status: 200, schema: Type.Object({ status: Type.Literal('emitted') }) },
    problems: [
      'event_type_reserved',
      'idempotency_key_reused',
      'idempotency_key_in_flight',
      'idempotency_key_invalid',
    ],
    idempotent: true,
  },
  listOlderEvents: {
    method: 'GET',
    path: '/events',
    tag: 'Older shapes',
    summary: "The console's page for browsers, the stream for `text/event-stream`, else the last events",
    permission: 'viewer',
    success: { status: 200, schema: open },
    stream: true,
  },
})
