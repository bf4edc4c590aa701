import { Type } from 'typebox'
import { Id } from '../id.ts'
import { RunStarted } from '../job.ts'
import { routes } from '../route.ts'
import { Run } from '../run.ts'
import {
  BudgetChange,
  MessageName,
  RunFork,
  RunUpgrade,
  RunUpgraded,
  StreamPiece,
  WaitpointView,
  WorkflowVersion,
} from '../run-operation.ts'

const byId = Type.Object({ id: Id })
const byName = Type.Object({ id: Id, name: MessageName })
// Longer than any that is made: what is longer is no token.
const byToken = Type.Object({ token: Type.String({ minLength: 1, maxLength: 256 }) })

/** What is done to a run that is under way, and who answers what it asks. */
export const runOperationRoutes = routes({
  pauseRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/pause',
    tag: 'Runs',
    summary: 'Let a run begin no new step; steps under way may end. Durable when this answers',
    permission: 'operator',
    params: byId,
    success: { status: 200, schema: Run },
    problems: ['run_not_found', 'run_ended'],
  },
  resumeRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/resume',
    tag: 'Runs',
    summary: 'Let a paused run go on',
    permission: 'operator',
    params: byId,
    success: { status: 200, schema: Run },
    problems: ['run_not_found', 'run_ended', 'run_not_paused'],
  },
  forkRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/fork',
    tag: 'Runs',
    summary: 'Start a new run that takes over the results before a step and does the rest anew',
    permission: 'operator',
    params: byId,
    body: RunFork,
    success: { status: 201, schema: RunStarted },
    problems: [
      'run_not_found',
      'run_step_not_found',
      'run_not_ended',
      'run_diverged',
      'run_concurrency_reached',
      'idempotency_key_reused',
      'idempotency_key_in_flight',
      'idempotency_key_invalid',
    ],
    idempotent: true,
  },
  upgradeRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/upgrade',
    tag: 'Runs',
    summary: 'Replay a run on another definition of its workflow, and move it there if nothing differs',
    permission: 'operator',
    params: byId,
    body: RunUpgrade,
    success: { status: 200, schema: RunUpgraded },
    problems: ['run_not_found', 'run_ended', 'definition_not_found', 'run_diverged'],
  },
  setRunBudget: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/budget',
    tag: 'Runs',
    summary: 'Set limits of a run; one that waits for its budget goes on if it now has room',
    permission: 'operator',
    params: byId,
    body: BudgetChange,
    success: { status: 200, schema: Run },
    problems: ['run_not_found', 'run_ended'],
  },
  queryRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/query/{name}',
    tag: 'Runs',
    summary: 'Ask a run something that its definition answers; the body is the argument, nothing changes',
    permission: 'viewer',
    params: byName,
    body: Type.Unknown(),
    success: { status: 200, schema: Type.Object({ result: Type.Unknown() }) },
    problems: ['run_not_found', 'run_not_started', 'query_unknown', 'query_failed'],
  },
  updateRun: {
    method: 'POST',
    path: '/api/v1/workflows/{id}/update/{name}',
    tag: 'Runs',
    summary:
      'Change a run and wait up to 30 s for what it says; the body is the argument. The same Idempotency-Key and body wait for the same result',
    permission: 'operator',
    params: byName,
    body: Type.Unknown(),
    success: { status: 200, schema: Type.Object({ result: Type.Unknown() }) },
    problems: [
      'run_not_found',
      'run_ended',
      'update_unknown',
      'update_rejected',
      'update_failed',
      'update_pending',
      'idempotency_key_in_flight',
      'idempotency_key_invalid',
    ],
    idempotent: true,
  },
  streamRun: {
    method: 'GET',
    path: '/api/v1/workflows/{id}/streams/{name}',
    tag: 'Runs',
    summary:
      'Follow what steps of a run write while they work; resume with `Last-Event-ID`, an offset. Ends with `event: end`',
    permission: 'viewer',
    params: byName,
    query: Type.Object({
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Begin behind this offset' })),
    }),
    success: { status: 200, schema: StreamPiece, mediaType: 'text/event-stream' },
    problems: ['run_not_found'],
    stream: true,
  },
  getWaitpoint: {
    method: 'GET',
    path: '/api/v1/waitpoints/{token}',
    tag: 'Waitpoints',
    summary: 'What the holder of a token is asked for, and whether an answer is still taken',
    permission: 'public',
    params: byToken,
    success: { status: 200, schema: WaitpointView },
    problems: ['waitpoint_token_invalid'],
  },
  completeWaitpoint: {
    method: 'POST',
    path: '/api/v1/waitpoints/{token}',
    tag: 'Waitpoints',
    summary: 'Answer a waitpoint with the body; whoever has the token may do it, once',
    permission: 'public',
    params: byToken,
    body: Type.Unknown(),
    success: { status: 200, schema: Type.Object({ message: Type.String() }) },
    problems: ['waitpoint_token_invalid', 'waitpoint_closed'],
  },
  listWorkflowVersions: {
    method: 'GET',
    path: '/api/v1/workflow-versions',
    tag: 'Runs',
    summary: 'List the definitions that are kept, newest first, with the runs on them that have not ended',
    permission: 'viewer',
    success: { status: 200, schema: Type.Object({ versions: Type.Array(WorkflowVersion) }) },
  },
})
