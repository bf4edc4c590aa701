import { type Static, Type } from 'typebox'

/** Every problem the platform answers with: code → HTTP status and title. Each has a page docs/errors/<code>.md. */
export const problems = {
  request_malformed: { status: 400, title: 'The request cannot be read' },
  request_origin_refused: { status: 403, title: 'The request comes from another site' },
  request_invalid: { status: 422, title: 'The request does not fit the schema' },
  body_too_large: { status: 413, title: 'The body is too large' },
  media_type_unsupported: { status: 415, title: 'The media type is not supported' },
  route_not_found: { status: 404, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  rate_limit_exceeded: { status: 429, title: 'Too many requests' },
  credentials_missing: { status: 401, title: 'Sign in first' },
  credentials_invalid: { status: 401, title: 'The credentials are not right' },
  token_invalid: { status: 401, title: 'The token is not valid' },
  refresh_token_invalid: { status: 401, title: 'The refresh token is not valid' },
  permission_denied: { status: 403, title: 'You may not do this' },
  idempotency_key_reused: { status: 422, title: 'This Idempotency-Key was used with another request' },
  idempotency_key_in_flight: {
    status: 409,
    title: 'The first request with this Idempotency-Key is still running',
  },
  idempotency_key_invalid: { status: 400, title: 'The Idempotency-Key is not valid' },
  moment_unknown: { status: 422, title: 'The log does not know this moment' },
  cursor_invalid: { status: 400, title: 'The cursor is not valid' },
  job_not_found: { status: 404, title: 'Job not found' },
  job_empty: { status: 422, title: 'The job says nothing to do' },
  job_running: { status: 409, title: 'The job is still running' },
  job_transition_invalid: { status: 409, title: 'The job cannot go from its status to that one' },
  run_not_found: { status: 404, title: 'Run not found' },
  run_ended: { status: 409, title: 'The run has already ended' },
  run_not_ended: { status: 409, title: 'The run has not ended yet' },
  run_not_started: { status: 409, title: 'The run has not begun yet' },
  run_not_paused: { status: 409, title: 'The run is not paused' },
  run_step_not_found: { status: 404, title: 'The run has no such step' },
  run_fork_unsupported: { status: 422, title: 'What the fork would take over cannot begin on Temporal' },
  run_diverged: { status: 409, title: 'The definition does not replay this run' },
  run_concurrency_reached: { status: 409, title: 'As many runs as are allowed are under way' },
  definition_not_found: { status: 404, title: 'There is no such definition' },
  query_unknown: { status: 404, title: 'The run answers no such query' },
  query_failed: { status: 422, title: 'The definition could not answer the query' },
  update_unknown: { status: 404, title: 'The run takes no such update' },
  update_rejected: { status: 422, title: 'The run refused the update' },
  update_failed: { status: 422, title: 'The update was accepted and failed' },
  update_pending: { status: 504, title: 'The update is accepted and not done yet' },
  waitpoint_token_invalid: { status: 404, title: 'The token is of no waitpoint' },
  waitpoint_not_found: { status: 404, title: 'The run has no such waitpoint' },
  waitpoint_closed: { status: 409, title: 'The waitpoint is answered or over' },
  stream_full: { status: 507, title: 'The stream of the run is full' },
  archive_unavailable: { status: 409, title: 'There is nowhere to archive to' },
  artifact_not_found: { status: 404, title: 'Artifact not found' },
  workflow_unknown: { status: 422, title: 'There is no such workflow' },
  workflow_input_invalid: { status: 422, title: 'The input does not fit the workflow' },
  event_type_reserved: { status: 422, title: 'Only the platform writes events of this type' },
  project_not_found: { status: 404, title: 'Project not found' },
  user_exists: { status: 409, title: 'There is a user with this e-mail address' },
  api_key_not_found: { status: 404, title: 'API key not found' },
  session_not_found: { status: 404, title: 'Session not found' },
  view_not_found: { status: 404, title: 'Saved view not found' },
  view_limit_reached: { status: 409, title: 'There is no room for another saved view' },
  health_service_unknown: { status: 404, title: 'There is no such upstream service' },
  store_unavailable: { status: 503, title: 'The database does not answer' },
  storage_full: { status: 507, title: 'There is no space left to store this' },
  temporal_unavailable: { status: 503, title: 'The Temporal cluster does not answer' },
  temporal_namespace_missing: { status: 503, title: 'The Temporal cluster has no such namespace' },
  temporal_refused: { status: 503, title: 'The Temporal cluster and Kyros do not accept each other' },
  service_not_ready: { status: 503, title: 'The server is starting or stopping' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

export const problemCodes = Object.keys(problems).filter(isProblemCode)

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code)
}

export const FieldError = Type.Object({
  path: Type.String({ description: 'JSON pointer into the body, or the name of the parameter' }),
  message: Type.String(),
})
export type FieldError = Static<typeof FieldError>

/** RFC 9457 application/problem+json. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What to do next' }),
    code: Type.String(),
    request_id: Type.Optional(Type.String()),
    errors: Type.Optional(Type.Array(FieldError)),
  },
  { $id: 'Problem' },
)
export type Problem = Static<typeof Problem>

export type ProblemOptions = {
  detail: string
  errors?: FieldError[]
  /** Seconds until it is worth trying again; becomes `Retry-After`. */
  retryAfterSeconds?: number
  cause?: unknown
}

/** A user's mistake or an outage, never a bug. `detail` reaches the caller, `cause` only the log. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly status: number
  readonly errors: FieldError[] | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ProblemCode, options: ProblemOptions) {
    super(options.detail, { cause: options.cause })
    this.code = code
    this.status = problems[code].status
    this.errors = options.errors
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

export function problem(code: ProblemCode, options: ProblemOptions): ProblemError {
  return new ProblemError(code, options)
}

export function isProblem(error: unknown, code: ProblemCode): error is ProblemError {
  return error instanceof ProblemError && error.code === code
}

/** The page that explains a code; relative to the server, so that it works without the internet. */
export function problemType(code: ProblemCode): string {
  return `/docs/errors/${code}`
}
