import type { OperationId } from '@kyros/contract/api'
import type { Answer } from '@kyros/contract/operation'
import { ApiError, timedOut, toApiError, unreachable } from './api-error.ts'
import { followStream, type StreamMessage, type StreamOperation, type StreamOptions } from './events.ts'
import { type Operation, operations } from './operations.ts'
import { type Arguments, type CallOptions, type JsonOperation, operationUrl, type Rest } from './request.ts'
import { type Access, createSession } from './session.ts'
import { backoffMs, wait } from './wait.ts'

export type ClientOptions = {
  /** Where the API is, without a slash at the end; empty for the page's own origin. */
  baseUrl: string
  /** Who calls; left out in a browser, whose cookie says it. */
  access?: Access
  /** How long one try of a call may take. */
  timeoutMs?: number
  /** How often a call that is safe to repeat is tried in all. */
  maxTries?: number
  fetch?: typeof fetch
}

export type Client = {
  /** Calls an operation and answers its JSON. @throws ApiError; the signal's own reason when it was aborted. */
  call<K extends JsonOperation>(id: K, ...rest: Rest<K>): Promise<Answer<K>>
  /** Calls an operation and answers the response itself, for files. @throws ApiError when it failed. */
  download<K extends OperationId>(id: K, ...rest: Rest<K>): Promise<Response>
  /** Follows a stream until the signal is aborted; reconnects and resumes by itself. @throws ApiError when refused. */
  stream<K extends StreamOperation>(
    id: K,
    args: Pick<Arguments<K>, 'params' | 'query'> & StreamOptions,
  ): AsyncGenerator<StreamMessage<K>, void, void>
}

const defaultTimeoutMs = 30_000
const defaultMaxTries = 3
/** A server that asks for more patience than this gets its answer passed on instead. */
const maxRetryAfterSeconds = 10
const retryDelay = { minMs: 200, maxMs: 2_000 }

/** The typed client of the API; runs in browsers and in Node. */
export function createClient(options: ClientOptions): Client {
  const send = options.fetch ?? ((input, init) => fetch(input, init))
  const session = createSession(options.access)
  const maxTries = options.maxTries ?? defaultMaxTries

  async function request(id: OperationId, args: LooseArguments = {}): Promise<Answered> {
    const operation: Operation = operations[id]
    const url = operationUrl(options.baseUrl, id, args)
    const timeoutMs = args.timeoutMs ?? options.timeoutMs ?? defaultTimeoutMs
    const key = operation.idempotent ? (args.idempotencyKey ?? crypto.randomUUID()) : undefined
    const isRepeatable = operation.method !== 'POST' || key !== undefined
    let hasRefreshed = false
    for (let tries = 1; ; tries++) {
      const sent = session.current()
      const headers = requestHeaders(args, key, await session.headers())
      const outcome = await tryOnce(send, { url, method: operation.method, headers, args, timeoutMs })
      if (!(outcome instanceof ApiError)) return outcome
      if (outcome.status === 401 && !hasRefreshed && !isSignIn(id) && (await session.refresh(sent))) {
        hasRefreshed = true
        continue
      }
      if (!isRepeatable || tries >= maxTries || !isPassing(outcome, tries)) throw outcome
      const afterMs = (outcome.retryAfterSeconds ?? 0) * 1000
      await wait(Math.max(afterMs, backoffMs(tries - 1, retryDelay)), args.signal)
      args.signal?.throwIfAborted()
    }
  }

  return {
    async call(id, ...rest) {
      const { response, text } = await request(id, rest[0])
      return parseAnswer(response, text)
    },
    async download(id, ...rest) {
      const { response, text } = await request(id, { ...rest[0], isDownload: true })
      return text === undefined ? response : new Response(text, response)
    },
    stream(id, args) {
      const url = (after: number | undefined) =>
        operationUrl(options.baseUrl, id, { params: args.params, query: { ...args.query, after } })
      return followStream({ ...args, url, send, session })
    },
  }
}

type LooseArguments = CallOptions & {
  params?: unknown
  query?: unknown
  body?: unknown
  isDownload?: boolean
}
type Answered = { response: Response; text: string | undefined }

function requestHeaders(args: LooseArguments, key: string | undefined, access: Record<string, string>) {
  return {
    accept: args.isDownload ? '*/*' : 'application/json',
    ...(args.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...access,
    ...args.headers,
  }
}

type Try = {
  url: string
  method: string
  headers: Record<string, string>
  args: LooseArguments
  timeoutMs: number
}

async function tryOnce(send: typeof fetch, { url, method, headers, args, timeoutMs }: Try) {
  args.signal?.throwIfAborted()
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = args.signal === undefined ? timeout : AbortSignal.any([args.signal, timeout])
  try {
    const body = args.body === undefined ? null : JSON.stringify(args.body)
    const response = await send(url, { method, headers, body, signal, credentials: 'same-origin' })
    if (!response.ok) return await toApiError(response)
    return { response, text: args.isDownload ? undefined : await response.text() }
  } catch (cause) {
    args.signal?.throwIfAborted()
    return timeout.aborted ? timedOut(url, timeoutMs) : unreachable(url, cause)
  }
}

/** A refusal here is the answer itself: renewing the session would only ask the same again. */
function isSignIn(id: OperationId): boolean {
  return id === 'login' || id === 'refresh'
}

/** Whether the same request may well succeed a moment later. */
function isPassing(error: ApiError, tries: number): boolean {
  if ((error.retryAfterSeconds ?? 0) > maxRetryAfterSeconds) return false
  if (error.code === 'server_unreachable' || error.status === 503) return true
  // Our own first try, whose answer was lost, may still be at work.
  return tries > 1 && error.code === 'idempotency_key_in_flight'
}

function parseAnswer<T>(response: Response, text: string | undefined): T {
  try {
    // The server validates what it sends against the same schema; checking it again would cost every reader.
    return JSON.parse(text ?? '') as T
  } catch (cause) {
    throw new ApiError({
      code: 'answer_unreadable',
      title: 'The answer cannot be read',
      detail: `${response.url} did not answer with JSON. Is something else listening there?`,
      status: response.status,
      requestId: response.headers.get('x-request-id') ?? undefined,
      cause,
    })
  }
}
