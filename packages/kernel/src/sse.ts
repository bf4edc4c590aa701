import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { problem } from '@kyros/contract/problem'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isObject } from './is-object.ts'
import type { Caller } from './verifier.ts'
import { watchCaller } from './watch-caller.ts'

export type SseMessage = {
  /** What the client sends back as `Last-Event-ID`. */
  id?: number | string
  event?: string
  /** JSON, or text as it is. */
  data: unknown
}

export type SseStream = {
  /** The last number the client has seen: `Last-Event-ID`, else `?after`. */
  readonly after: number | undefined
  /** Aborts when the client has gone or the server drains. */
  readonly signal: AbortSignal
  /** Resolves when the client can take more, so that nothing piles up for a slow one; a no-op once aborted. */
  send(message: SseMessage): Promise<void>
}

/** Bounds and the open streams of one app; `serve` ends them when it drains. */
export type StreamLimits = {
  readonly maxPerCaller: number
  readonly heartbeatMs: number
  /** How long a reader may take nothing before it is cut off; it can resume. */
  readonly maxStallMs: number
  /** How often the credentials of a reader are looked at again: rights that were withdrawn end their streams. */
  readonly verifyMs: number
  readonly perCaller: Map<string, number>
  readonly open: Set<{ end(retryMs: number): void }>
}

export function createStreamLimits(options: Partial<StreamLimits> = {}): StreamLimits {
  return {
    maxPerCaller: 32,
    heartbeatMs: 15_000,
    maxStallMs: 60_000,
    verifyMs: 3_000,
    perCaller: new Map(),
    open: new Set(),
    ...options,
  }
}

// A reader with new credentials may come back soon; one without gets its 401 then.
const lostRetryMs = 1_000

type StreamInput = { request: FastifyRequest; reply: FastifyReply; caller?: Caller | undefined }

/**
 * Answers with a stream of events that lasts until `write` resolves, the client leaves, its credentials end or the
 * server drains.
 * Check everything that can fail first: after this the status is 200.
 * @throws rate_limit_exceeded when the caller has too many streams open
 */
export async function streamSse(
  input: StreamInput,
  write: (stream: SseStream) => Promise<void>,
): Promise<FastifyReply> {
  const { request, reply, caller } = input
  const limits = request.server.edge.streams
  const release = reserve(limits, caller?.id ?? request.ip)
  const stop = new AbortController()
  const raw = openRaw(reply)
  raw.once('close', () => stop.abort())
  const entry = {
    end: (retryMs: number) => {
      if (!raw.writableEnded) raw.end(`retry: ${retryMs}\n\n`)
      stop.abort()
    },
  }
  limits.open.add(entry)
  const heartbeat = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(': \n\n')
  }, limits.heartbeatMs)
  heartbeat.unref()
  const unwatch = caller && watchCaller(request, caller, limits.verifyMs, () => entry.end(lostRetryMs))
  try {
    if (request.method !== 'HEAD') await write(createStream(request, raw, stop, limits.maxStallMs))
  } catch (error) {
    if (!stop.signal.aborted) {
      request.server.edge.log.error({ request_id: request.id, err: error }, 'event stream failed')
    }
  } finally {
    clearInterval(heartbeat)
    unwatch?.()
    limits.open.delete(entry)
    release()
    raw.end()
  }
  return reply
}

function reserve(limits: StreamLimits, key: string): () => void {
  const open = limits.perCaller.get(key) ?? 0
  if (open >= limits.maxPerCaller) {
    throw problem('rate_limit_exceeded', {
      detail: `You have ${open} streams open, which is the most one caller may have. Close one first.`,
      retryAfterSeconds: 5,
    })
  }
  limits.perCaller.set(key, open + 1)
  return () => {
    const left = (limits.perCaller.get(key) ?? 1) - 1
    if (left > 0) limits.perCaller.set(key, left)
    else limits.perCaller.delete(key)
  }
}

function openRaw(reply: FastifyReply): ServerResponse {
  reply.hijack()
  const { raw } = reply
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value)
  }
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  raw.flushHeaders()
  return raw
}

function createStream(
  request: FastifyRequest,
  raw: ServerResponse,
  stop: AbortController,
  maxStallMs: number,
): SseStream {
  const { signal } = stop
  return {
    after: resumeAfter(request),
    signal,
    send: async (message) => {
      if (signal.aborted || raw.writableEnded || raw.write(frame(message))) return
      const stalled = AbortSignal.timeout(maxStallMs)
      try {
        await once(raw, 'drain', { signal: AbortSignal.any([signal, stalled]) })
      } catch {
        if (stalled.aborted) raw.destroy()
        stop.abort()
      }
    },
  }
}

/** Where a client wants to go on; the header wins, because the browser keeps it up to date. */
function resumeAfter(request: FastifyRequest): number | undefined {
  const { query } = request
  const after = isObject(query) ? query.after : undefined
  for (const given of [request.headers['last-event-id'], after]) {
    if (/^\d{1,15}$/.test(String(given))) return Number(given)
  }
  return undefined
}

/** One message as it goes over the line. A line break in the data cannot begin a field of its own. */
function frame(message: SseMessage): string {
  const { id, event, data } = message
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')
  return `${id === undefined ? '' : `id: ${oneLine(String(id))}\n`}${event ? `event: ${oneLine(event)}\n` : ''}${lines}\n`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\0]/g, '')
}
