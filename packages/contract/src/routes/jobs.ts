import { Type } from 'typebox'
import { AsOfListQuery, AsOfQuery } from '../as-of.ts'
import { Event } from '../event.ts'
import { Id } from '../id.ts'
import { Job, JobQuery, JobSubmit } from '../job.ts'
import { PageQuery, page } from '../page.ts'
import { routes, temporalProblems } from '../route.ts'
import { RunStatusSchema } from '../run.ts'

const byId = Type.Object({ id: Id })

export const jobRoutes = routes({
  submitJob: {
    method: 'POST',
    path: '/api/v1/jobs',
    tag: 'Jobs',
    summary: 'Submit a job; durable when this answers',
    permission: 'operator',
    body: JobSubmit,
    success: { status: 201, schema: Job },
    problems: [
      'job_empty',
      'workflow_unknown',
      'workflow_input_invalid',
      'run_concurrency_reached',
      'project_not_found',
      'idempotency_key_reused',
      'idempotency_key_in_flight',
      'idempotency_key_invalid',
      ...temporalProblems,
    ],
    idempotent: true,
  },
  listJobs: {
    method: 'GET',
    path: '/api/v1/jobs',
    tag: 'Jobs',
    summary: 'List jobs, newest first, as they are or as they were',
    permission: 'viewer',
    query: Type.Object({ ...JobQuery.properties, ...AsOfListQuery }),
    success: { status: 200, schema: page('jobs', Job) },
    problems: ['cursor_invalid', 'moment_unknown'],
  },
  getJob: {
    method: 'GET',
    path: '/api/v1/jobs/{id}',
    tag: 'Jobs',
    summary: 'Get a job, as it is or as it was',
    permission: 'viewer',
    params: byId,
    query: Type.Object(AsOfQuery),
    success: { status: 200, schema: Job },
    problems: ['job_not_found', 'moment_unknown'],
  },
  listJobEvents: {
    method: 'GET',
    path: '/api/v1/jobs/{id}/events',
    tag: 'Jobs',
    summary: 'List or stream the events of a job and its runs',
    permission: 'viewer',
    params: byId,
    query: Type.Object({ after: Type.Optional(Type.Integer({ minimum: 0 })), ...PageQuery }),
    success: { status: 200, schema: page('events', Event) },
    problems: ['job_not_found', 'cursor_invalid'],
    stream: true,
  },
  cancelJob: {
    method: 'POST',
    path: '/api/v1/jobs/{id}/cancel',
    tag: 'Jobs',
    summary: 'Cancel the latest run of a job',
    permission: 'operator',
    params: byId,
    body: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 1024 })) }),
    success: { status: 200, schema: Job },
    problems: ['job_not_found', 'run_ended'],
  },
  retryJob: {
    method: 'POST',
    path: '/api/v1/jobs/{id}/retry',
    tag: 'Jobs',
    summary: 'Run a job again with the same input',
    permission: 'operator',
    params: byId,
    success: { status: 201, schema: Job },
    problems: ['job_not_found', 'run_not_ended', 'run_concurrency_reached', ...temporalProblems],
    idempotent: true,
  },
  setJobStatus: {
    method: 'PUT',
    path: '/api/v1/jobs/{id}/status',
    tag: 'Jobs',
    summary: 'Move a job to a status; only legal transitions',
    permission: 'operator',
    params: byId,
    query: Type.Object({ status: Type.Optional(RunStatusSchema) }),
    body: Type.Object({ status: Type.Optional(RunStatusSchema) }),
    success: { status: 200, schema: Job },
    problems: ['job_not_found', 'job_transition_invalid'],
  },
  archiveJobs: {
    method: 'POST',
    path: '/api/v1/jobs/archive',
    tag: 'Jobs',
    summary:
      'Archive the oldest jobs that ended so long ago and remove them, with runs, logs, artifacts and events; a part at a time',
    permission: 'admin',
    body: Type.Object(
      {
        older_than_days: Type.Integer({
          minimum: 0,
          maximum: 36_500,
          description: 'Only jobs that ended at least so many days ago',
        }),
      },
      { additionalProperties: false },
    ),
    success: {
      status: 200,
      schema: Type.Object({
        jobs: Type.Integer(),
        runs: Type.Integer(),
        archive: Type.Union([Type.String(), Type.Null()], { description: 'The file on the server' }),
        has_more: Type.Boolean({ description: 'Whether there may be more: ask again' }),
      }),
    },
    problems: ['archive_unavailable'],
  },
  deleteJob: {
    method: 'DELETE',
    path: '/api/v1/jobs/{id}',
    tag: 'Jobs',
    summary: 'Delete a job and what its runs left',
    permission: 'operator',
    params: byId,
    query: Type.Object({ force: Type.Optional(Type.Boolean({ description: 'Cancel it first' })) }),
    success: { status: 200, schema: Type.Object({ message: Type.String() }) },
    problems: ['job_not_found', 'job_running'],
  },
})
