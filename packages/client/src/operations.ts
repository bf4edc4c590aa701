import type { api, OperationId } from '@kyros/contract/api'

type Api = typeof api

/** How an operation is called; `idempotent` ones get an `Idempotency-Key`, which makes them safe to repeat. */
export type Operation = { readonly method: string; readonly path: string; readonly idempotent?: boolean }

type AsDeclared = {
  readonly [K in OperationId]: Pick<Api[K], 'method' | 'path'> &
    (Api[K] extends { idempotent: true } ? { readonly idempotent: true } : { readonly idempotent?: never })
}

/**
 * The calls of `api` without their schemas, which weigh more than the rest of this package and which only a server
 * needs. `satisfies` keeps it true: a route that is missing here, or differs, does not compile.
 */
export const operations = {
  describe: { method: 'GET', path: '/' },
  health: { method: 'GET', path: '/health' },
  healthStatus: { method: 'GET', path: '/health/status' },
  healthStatusOf: { method: 'GET', path: '/health/status/{service}' },
  healthz: { method: 'GET', path: '/healthz' },
  livez: { method: 'GET', path: '/livez' },
  readyz: { method: 'GET', path: '/readyz' },
  ready: { method: 'GET', path: '/ready' },
  metrics: { method: 'GET', path: '/metrics' },
  openapi: { method: 'GET', path: '/openapi.json' },
  docs: { method: 'GET', path: '/docs' },
  docsOfProblem: { method: 'GET', path: '/docs/errors/{code}' },
  config: { method: 'GET', path: '/v1/config' },
  info: { method: 'GET', path: '/api/v1/utils/info' },
  healthCheck: { method: 'GET', path: '/api/v1/utils/health-check' },
  reportCsp: { method: 'POST', path: '/api/v1/security/csp-report' },
  stats: { method: 'GET', path: '/api/v1/stats' },
  listProjects: { method: 'GET', path: '/api/v1/projects' },
  emitEvent: { method: 'POST', path: '/api/v1/events', idempotent: true },
  listEvents: { method: 'GET', path: '/api/v1/events' },
  streamEvents: { method: 'GET', path: '/api/v1/events/stream' },
  tailEvents: { method: 'GET', path: '/api/v1/events/tail' },
  login: { method: 'POST', path: '/auth/login' },
  refresh: { method: 'POST', path: '/auth/refresh' },
  logout: { method: 'POST', path: '/auth/logout' },
  currentUser: { method: 'GET', path: '/auth/user' },
  listUsers: { method: 'GET', path: '/auth/users' },
  createUser: { method: 'POST', path: '/auth/users' },
  listApiKeys: { method: 'GET', path: '/auth/api-keys' },
  createApiKey: { method: 'POST', path: '/auth/api-keys' },
  revokeApiKey: { method: 'DELETE', path: '/auth/api-keys/{id}' },
  listSessions: { method: 'GET', path: '/auth/sessions' },
  revokeSession: { method: 'DELETE', path: '/auth/sessions/{id}' },
  submitJob: { method: 'POST', path: '/api/v1/jobs', idempotent: true },
  listJobs: { method: 'GET', path: '/api/v1/jobs' },
  getJob: { method: 'GET', path: '/api/v1/jobs/{id}' },
  listJobEvents: { method: 'GET', path: '/api/v1/jobs/{id}/events' },
  cancelJob: { method: 'POST', path: '/api/v1/jobs/{id}/cancel' },
  retryJob: { method: 'POST', path: '/api/v1/jobs/{id}/retry', idempotent: true },
  setJobStatus: { method: 'PUT', path: '/api/v1/jobs/{id}/status' },
  archiveJobs: { method: 'POST', path: '/api/v1/jobs/archive' },
  deleteJob: { method: 'DELETE', path: '/api/v1/jobs/{id}' },
  startRun: { method: 'POST', path: '/api/v1/workflows', idempotent: true },
  listRuns: { method: 'GET', path: '/api/v1/workflows' },
  getRun: { method: 'GET', path: '/api/v1/workflows/{id}' },
  cancelRun: { method: 'POST', path: '/api/v1/workflows/{id}/cancel' },
  retryRun: { method: 'POST', path: '/api/v1/workflows/{id}/retry', idempotent: true },
  signalRun: { method: 'POST', path: '/api/v1/workflows/{id}/signal/{name}', idempotent: true },
  whyRun: { method: 'GET', path: '/api/v1/workflows/{id}/why' },
  listRunEvents: { method: 'GET', path: '/api/v1/workflows/{id}/events' },
  listRunLogs: { method: 'GET', path: '/api/v1/workflows/{id}/logs' },
  getRunMetrics: { method: 'GET', path: '/api/v1/workflows/{id}/metrics' },
  getRunHistory: { method: 'GET', path: '/api/v1/workflows/{id}/history' },
  listArtifacts: { method: 'GET', path: '/api/v1/workflows/{id}/artifacts' },
  getArtifact: { method: 'GET', path: '/api/v1/workflows/{id}/artifacts/{name}' },
  bulkRuns: { method: 'POST', path: '/api/v1/workflows/bulk' },
  pauseRun: { method: 'POST', path: '/api/v1/workflows/{id}/pause' },
  resumeRun: { method: 'POST', path: '/api/v1/workflows/{id}/resume' },
  forkRun: { method: 'POST', path: '/api/v1/workflows/{id}/fork', idempotent: true },
  upgradeRun: { method: 'POST', path: '/api/v1/workflows/{id}/upgrade' },
  setRunBudget: { method: 'POST', path: '/api/v1/workflows/{id}/budget' },
  queryRun: { method: 'POST', path: '/api/v1/workflows/{id}/query/{name}' },
  updateRun: { method: 'POST', path: '/api/v1/workflows/{id}/update/{name}', idempotent: true },
  streamRun: { method: 'GET', path: '/api/v1/workflows/{id}/streams/{name}' },
  getWaitpoint: { method: 'GET', path: '/api/v1/waitpoints/{token}' },
  completeWaitpoint: { method: 'POST', path: '/api/v1/waitpoints/{token}' },
  answerWaitpoint: { method: 'POST', path: '/api/v1/workflows/{id}/waitpoints/{command}' },
  listWorkflowVersions: { method: 'GET', path: '/api/v1/workflow-versions' },
  listWorkflowTypes: { method: 'GET', path: '/api/v1/workflow-types' },
  listViews: { method: 'GET', path: '/api/v1/views' },
  createView: { method: 'POST', path: '/api/v1/views' },
  deleteView: { method: 'DELETE', path: '/api/v1/views/{id}' },
  submitOlderJob: { method: 'POST', path: '/jobs', idempotent: true },
  listOlderJobs: { method: 'GET', path: '/jobs' },
  emitOlderEvent: { method: 'POST', path: '/events', idempotent: true },
  listOlderEvents: { method: 'GET', path: '/events' },
} as const satisfies AsDeclared
