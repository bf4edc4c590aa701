import type { OperationId } from '@kyros/contract/api'
import type { Answer } from '@kyros/contract/operation'
import { ApiError, toApiError } from './api-error.ts'
import type { Session } from './session.ts'
import { createSseParser, type SseBlock } from './sse-parser.ts'
import { backoffMs, wait } from './wait.ts'

export type StreamStatus =
  | { kind: 'connecting' }
  /** Connected again after a gap; what happened meanwhile is arriving. */
  | { kind: 'catching_up' }
  | { kind: 'connected' }
  | { kind: 'offline'; failures: number; retryInMs: number }

export type StreamOptions = {
  signal: AbortSignal
  /** Start behind this number; later connections resume behind the last one seen. */
  after?: number
  onStatus?: (status: StreamStatus) => void
  /** A connection on which nothing arrives for this long, heartbeats included, is given up. */
  staleMs?: number
  backoff?: { minMs: number; maxMs: number }
}

export type StreamOperation = Extract<
  OperationId,
  'streamEvents' | 'tailEvents' | 'listRunEvents' | 'listJobEvents' | 'listRunLogs' | 'streamRun'
>

type Item<K extends StreamOperation> = K extends 'listRunLogs'
  ? Answer<'listRunLogs'>['lines'][number]
  : K extends 'streamRun'
    ? Answer<'streamRun'>
    : Answer<'listEvents'>['events'][number]

/** `reset` says that the numbers asked for are no longer kept: read the whole again. */
export type StreamMessage<K extends StreamOperation> =
  | { kind: 'item'; number: number; item: Item<K> }
  | { kind: 'reset' }

type Follow = StreamOptions & {
  url: (after: number | undefined) => string
  send: typeof fetch
  session: Session
}

const defaultStaleMs = 45_000
const defaultBackoff = { minMs: 500, maxMs: 15_000 }
/** After a reconnect, this much silence means that everything missed has arrived. */
const caughtUpMs = 300

/**
 * Follows a stream by number: what comes before a break comes once, what came during it comes after it. Ends when the
 * server says that it is complete.
 * @throws ApiError when the server refuses (401 after a failed refresh, 403, 404)
 */
export async function* followStream<K extends StreamOperation>(
  options: Follow,
): AsyncGenerator<StreamMessage<K>, void, void> {
  const { signal, onStatus } = options
  const backoff = options.backoff ?? defaultBackoff
  const position: Position = { last: options.after, retryMs: undefined }
  let failures = 0
  let wasConnected = false
  onStatus?.({ kind: 'connecting' })
  while (!signal.aborted) {
    const connection = new AbortController()
    const open = await connect(options, position, connection)
    if (open !== undefined) {
      failures = 0
      const heard = { onStatus, isCatchingUp: wasConnected }
      wasConnected = true
      const staleMs = options.staleMs ?? defaultStaleMs
      const hasEnded = yield* readBlocks<K>(open, position, { ...heard, connection, staleMs })
      if (hasEnded) return
    }
    if (signal.aborted) return
    const retryInMs = position.retryMs ?? backoffMs(failures, backoff)
    failures++
    onStatus?.({ kind: 'offline', failures, retryInMs })
    await wait(retryInMs, signal)
  }
}

type Position = { last: number | undefined; retryMs: number | undefined }

/** Opens the stream; undefined when there is no connection now but may be later. */
async function connect(options: Follow, position: Position, connection: AbortController) {
  const signal = AbortSignal.any([options.signal, connection.signal])
  for (let hasRefreshed = false; ; hasRefreshed = true) {
    const sent = options.session.current()
    const response = await open(options, position, { signal, connection })
    if (response === undefined || response.ok) return response?.body ?? undefined
    const error = await toApiError(response)
    if (error.status === 401 && !hasRefreshed && (await options.session.refresh(sent))) continue
    if (error.status >= 500 || error.status === 429 || error.status === 408) return undefined
    throw error
  }
}

type Opening = { signal: AbortSignal; connection: AbortController }

async function open(options: Follow, { last }: Position, { signal, connection }: Opening) {
  const timer = setTimeout(() => connection.abort(), options.staleMs ?? defaultStaleMs)
  const headers = {
    accept: 'text/event-stream',
    ...(last === undefined ? {} : { 'last-event-id': String(last) }),
    ...(await options.session.headers()),
  }
  try {
    return await options.send(options.url(last), {
      headers,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
    })
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

type Reading = {
  connection: AbortController
  staleMs: number
  isCatchingUp: boolean
  onStatus: ((status: StreamStatus) => void) | undefined
}

/** Answers whether the server said that nothing more will come. */
async function* readBlocks<K extends StreamOperation>(
  body: ReadableStream<Uint8Array>,
  position: Position,
  { connection, staleMs, isCatchingUp, onStatus }: Reading,
): AsyncGenerator<StreamMessage<K>, boolean, void> {
  const reader = body.getReader()
  const parse = createSseParser()
  const decoder = new TextDecoder()
  onStatus?.({ kind: isCatchingUp ? 'catching_up' : 'connected' })
  const settle = () => onStatus?.({ kind: 'connected' })
  let caughtUp = isCatchingUp ? setTimeout(settle, caughtUpMs) : undefined
  try {
    for (;;) {
      const chunk = await readChunk(reader, staleMs)
      if (chunk === undefined) return false
      for (const block of parse(decoder.decode(chunk, { stream: true }))) {
        if (block.event === 'end') return true
        const message = toMessage<K>(block, position)
        if (message !== undefined) yield message
      }
      if (caughtUp !== undefined) {
        clearTimeout(caughtUp)
        caughtUp = setTimeout(settle, caughtUpMs)
      }
    }
  } finally {
    clearTimeout(caughtUp)
    connection.abort()
    await reader.cancel().catch(() => undefined)
  }
}

/** The next bytes; undefined when the connection ended, broke, or was silent for too long. */
async function readChunk(reader: ReadableStreamDefaultReader<Uint8Array>, staleMs: number) {
  const silence = new AbortController()
  const stale = wait(staleMs, silence.signal).then(() => undefined)
  const read = reader.read().then(
    ({ value }) => value,
    () => undefined,
  )
  try {
    return await Promise.race([read, stale])
  } finally {
    silence.abort()
  }
}

function toMessage<K extends StreamOperation>(
  block: SseBlock,
  position: Position,
): StreamMessage<K> | undefined {
  if (block.retryMs !== undefined) position.retryMs = block.retryMs
  if (block.event === 'reset') {
    // The server may say where it goes on; what lies before has to be read anew in any case.
    const next = Number(block.id)
    position.last = block.id !== undefined && Number.isInteger(next) ? next : undefined
    return { kind: 'reset' }
  }
  const number = Number(block.id)
  if (block.id === undefined || block.data === '' || !Number.isInteger(number)) return undefined
  if (position.last !== undefined && number <= position.last) return undefined
  position.last = number
  return { kind: 'item', number, item: parseItem(block.data) }
}

function parseItem<T>(data: string): T {
  try {
    // What the server writes on a stream is an entry of the list of the same operation.
    return JSON.parse(data) as T
  } catch (cause) {
    throw new ApiError({
      code: 'answer_unreadable',
      title: 'The stream cannot be read',
      detail: 'An entry of the stream is not JSON. Is something between here and the server changing it?',
      status: 200,
      cause,
    })
  }
}
