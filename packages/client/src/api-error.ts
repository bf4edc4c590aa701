import type { FieldError, ProblemCode } from '@kyros/contract/problem'

/** What can go wrong before there is an answer, or with one that is not what the API says. */
export type ConnectionCode = 'server_unreachable' | 'answer_timed_out' | 'answer_unreadable'

type ApiErrorOptions = {
  code: ProblemCode | ConnectionCode
  title: string
  detail: string
  status: number
  requestId?: string | undefined
  errors?: readonly FieldError[] | undefined
  retryAfterSeconds?: number | undefined
  cause?: unknown
}

/** Why a call failed: the server's problem, or (`status` 0) that there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ProblemCode | ConnectionCode
  readonly title: string
  readonly detail: string
  readonly status: number
  readonly requestId: string | undefined
  readonly errors: readonly FieldError[]
  readonly retryAfterSeconds: number | undefined

  constructor(options: ApiErrorOptions) {
    super(options.detail, { cause: options.cause })
    this.code = options.code
    this.title = options.title
    this.detail = options.detail
    this.status = options.status
    this.requestId = options.requestId
    this.errors = options.errors ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Reads a failed answer; one that is no problem+json (a proxy's page, say) keeps its status and a short excerpt. */
export async function toApiError(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  const requestId = response.headers.get('x-request-id') ?? undefined
  const retryAfterSeconds = readRetryAfter(response.headers.get('retry-after'))
  const body = parseProblem(text)
  if (body !== undefined) {
    return new ApiError({
      ...body,
      status: response.status,
      requestId: body.requestId ?? requestId,
      retryAfterSeconds,
    })
  }
  return new ApiError({
    code: 'answer_unreadable',
    title: `The server answered ${response.status}`,
    detail: text.trim().slice(0, 200) || 'The answer does not say why.',
    status: response.status,
    requestId,
    retryAfterSeconds,
  })
}

/** A connection that failed. The cause stays attached; its words are the runtime's and differ everywhere. */
export function unreachable(url: string, cause: unknown): ApiError {
  return new ApiError({
    code: 'server_unreachable',
    title: 'The server cannot be reached',
    detail: `Nothing answers at ${url}. Check that Kyros runs and that the network is up.`,
    status: 0,
    cause,
  })
}

export function timedOut(url: string, timeoutMs: number): ApiError {
  return new ApiError({
    code: 'answer_timed_out',
    title: 'The server took too long',
    detail: `${url} did not answer within ${timeoutMs / 1000} s.`,
    status: 0,
  })
}

function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds)
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? undefined : Math.max(0, (atMs - Date.now()) / 1000)
}

function parseProblem(text: string) {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(body) || typeof body.code !== 'string') return undefined
  return {
    // A newer server may know codes that this build does not; callers compare with the ones they know.
    code: body.code as ProblemCode,
    title: typeof body.title === 'string' ? body.title : body.code,
    detail: typeof body.detail === 'string' ? body.detail : '',
    requestId: typeof body.request_id === 'string' ? body.request_id : undefined,
    errors: Array.isArray(body.errors) ? body.errors.filter(isFieldError) : [],
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && typeof value.path === 'string' && typeof value.message === 'string'
}
