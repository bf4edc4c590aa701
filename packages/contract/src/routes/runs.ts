import { Type } from 'typebox'
import { AsOfListQuery, AsOfQuery } from '../as-of.ts'
import { Event } from '../event.ts'
import { Id } from '../id.ts'
import {
  BulkResult,
  BulkRuns,
  RunMetrics,
  RunQuery,
  RunStart,
  RunStarted,
  Why,
  WorkflowType,
} from '../job.ts'
import { PageQuery, page } from '../page.ts'
import { routes, temporalProblems } from '../route.ts'
import { Artifact, LogLine, Run, RunSummary } from '../run.ts'
import { MessageName } from '../run-operation.ts'
import { WorkflowFault } from '../workflow-fault.ts'

const byId = Type.Object({ id: Id })

const RunExecutions = Type.Object({
  build: Type.String({
    description: 'The version of the worker that moved the run; empty where a cluster has nothing of it',
  }),
  code: Type.Union([Type.String(), Type.Null()], {
    description: 'The bundle of that build; null where the caller has it, or nobody has',
  }),
  code_missing: Type.Union([Type.String(), Type.Null()], { description: 'Why there is no bundle' }),
  histories: Type.Array(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'A payload that is JSON is an object with the one field `kyros_json`',
    }),
    { description: 'Of each part that this build moved' },
  ),
  is_whole: Type.Boolean({ description: 'False where there are, or were, earlier parts' }),
})

export const runRoutes = routes({
  startRun: {
    method: 'POST',
    path: '/api/v1/workflows',
    tag: 'Runs',
    summary: 'Start a run of a workflow; durable when this answers',
    permission: 'operator',
    body: RunStart,
    success: { status: 201, schema: RunStarted },
    problems: [
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
  listRuns: {
    method: 'GET',
    path: '/api/v1/workflows',
    tag: 'Runs',
    summary: 'List runs, newest first, as they are or as they were',
    permission: 'viewer',
    query: Type.Object({ ...RunQuery.properties, ...AsOfListQuery }),
    success: { status: 200, schema: page('workflows', RunSummary) },
    problems: ['cursor_invalid', 'moment_unknown'],
  },
  getRun: {
    method: 'GET',
    path: '/api/v1/workflows/{id}',
    tag: 'Runs',
    summary:
      'Get a run with its steps and attempts, as it is or as it was; of more than 2,000 steps the latest',
    permission: 'viewer',
    params: byId,
    query: Type.Object(AsOfQuery),
    success: { status: 200, schema: Run },
    problems: ['run_not_found', 'moment_unknown'],
  },
  cancelRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/cancel',
    tag: 'Runs',
    summary: 'Ask a run to stop; it cleans up and ends as cancelled',
    permission: 'operator',
    params: byId,
    body: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 1024 })) }),
    success: { status: 200, schema: Run },
    problems: ['run_not_found', 'run_ended'],
  },
  retryRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/retry',
    tag: 'Runs',
    summary: 'Start a new run of the same job with the same input',
    permission: 'operator',
    params: byId,
    success: { status: 201, schema: RunStarted },
    problems: ['run_not_found', 'run_not_ended', 'run_concurrency_reached', ...temporalProblems],
    idempotent: true,
  },
  bulkRuns: {
    method: 'POST',
    path: '/api/v1/workflows/bulk',
    tag: 'Runs',
    summary:
      'Cancel, retry, pause, resume or upgrade up to 200 runs; each has a result of its own, in the order given',
    permission: 'operator',
    body: BulkRuns,
    success: { status: 200, schema: Type.Object({ results: Type.Array(BulkResult) }) },
  },
  signalRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/signal/{name}',
    tag: 'Runs',
    summary: 'Send a signal into a run; durable when this answers',
    permission: 'operator',
    params: Type.Object({ id: Id, name: MessageName }),
    body: Type.Unknown(),
    success: { status: 200, schema: Type.Object({ message: Type.String() }) },
    problems: ['run_not_found', 'run_ended'],
    idempotent: true,
  },
  whyRun: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/why',
    tag: 'Runs',
    summary: 'Say what a run waits for',
    permission: 'viewer',
    params: byId,
    success: { status: 200, schema: Why },
    problems: ['run_not_found'],
  },
  listRunEvents: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/events',
    tag: 'Runs',
    summary: 'List or stream the events of a run',
    permission: 'viewer',
    params: byId,
    query: Type.Object({ after: Type.Optional(Type.Integer({ minimum: 0 })), ...PageQuery }),
    success: { status: 200, schema: page('events', Event) },
    problems: ['run_not_found', 'cursor_invalid'],
    stream: true,
  },
  listRunLogs: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/logs',
    tag: 'Runs',
    summary: 'List or stream the log lines of a run; on the stream the id is the line',
    permission: 'viewer',
    params: byId,
    query: Type.Object({
      step: Type.Optional(Type.String({ maxLength: 128 })),
      after: Type.Optional(Type.Integer({ minimum: 0 })),
      follow: Type.Optional(Type.Boolean()),
      ...PageQuery,
    }),
    success: { status: 200, schema: page('lines', LogLine) },
    problems: ['run_not_found', 'cursor_invalid'],
    stream: true,
  },
  getRunMetrics: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/metrics',
    tag: 'Runs',
    summary: 'Durations and retries of a run and its steps',
    permission: 'viewer',
    params: byId,
    success: { status: 200, schema: RunMetrics },
    problems: ['run_not_found'],
  },
  getRunHistory: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/history',
    tag: 'Runs',
    summary: 'Export the whole history of a run',
    permission: 'viewer',
    params: byId,
    success: {
      status: 200,
      schema: Type.Object({ run: Run, definition: Type.String(), events: Type.Array(Event) }),
    },
    problems: ['run_not_found'],
  },
  getRunExecutions: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/executions',
    tag: 'Runs',
    summary:
      "Export what a Temporal cluster has of a run: its histories in Temporal's JSON, as a replay needs them",
    permission: 'viewer',
    params: byId,
    query: Type.Object({
      known_build: Type.Optional(
        Type.String({ maxLength: 100, description: 'A build of which the caller has the bundle' }),
      ),
    }),
    success: { status: 200, schema: RunExecutions },
    problems: ['run_not_found', ...temporalProblems],
  },
  listArtifacts: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/artifacts',
    tag: 'Runs',
    summary: 'List what a run left: reports and other files',
    permission: 'viewer',
    params: byId,
    success: { status: 200, schema: Type.Object({ artifacts: Type.Array(Artifact) }) },
    problems: ['run_not_found'],
  },
  getArtifact: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/artifacts/{name}',
    tag: 'Runs',
    summary: 'Download one artifact',
    permission: 'viewer',
    params: Type.Object({ id: Id, name: Type.String({ minLength: 1, maxLength: 255 }) }),
    success: { status: 200, mediaType: 'application/octet-stream' },
    problems: ['run_not_found', 'artifact_not_found'],
  },
  listWorkflowTypes: {
    method: 'GET',
    path: '/api/v1/workflow-types',
    tag: 'Runs',
    summary: 'List the workflows that can run here, with their input schemas and steps',
    permission: 'viewer',
    success: {
      status: 200,
      schema: Type.Object({
        workflow_types: Type.Array(WorkflowType),
        faults: Type.Array(WorkflowFault, {
          description: 'What keeps workflows of users’ own from being listed, or should be looked at',
        }),
      }),
    },
  },
})
