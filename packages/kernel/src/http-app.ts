import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { problem } from '@kyros/contract/problem'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { clientAddress } from './client-address.ts'
import { type Clock, systemClock } from './clock.ts'
import { type CookieNames, cookieNames } from './cookies.ts'
import { answerPreflight, corsHeaders } from './cors.ts'
import type { Edge } from './edge.ts'
import { createLife, type Life } from './life.ts'
import { type Log, silentLog } from './log.ts'
import type { Metrics } from './metrics.ts'
import { createPathTable, type PathTable } from './path-table.ts'
import { sendProblem } from './problem-reply.ts'
import { createRateLimiter, type RateLimit } from './rate-limit.ts'
import { readJson } from './read-json.ts'
import { isSafeMethod } from './request-origin.ts'
import { securityHeaders } from './security-headers.ts'
import { createStreamLimits, type StreamLimits } from './sse.ts'
import type { Verifier } from './verifier.ts'

export type AppOptions = {
  /** Without one nobody is let in, only public routes answer. */
  verifier?: Verifier
  clock?: Clock
  log?: Log
  life?: Life
  metrics?: Metrics
  cookies?: CookieNames
  /** Exact origins, such as `https://kyros.example.com`. */
  allowedOrigins?: readonly string[]
  maxBodyBytes?: number
  /** Per client; false turns it off. */
  rateLimit?: RateLimit | false
  streams?: Partial<StreamLimits>
  /** Addresses or CIDRs whose X-Forwarded-* are believed; none by default. */
  trustedProxies?: readonly string[]
}

const defaultMaxBodyBytes = 1024 * 1024
const defaultRateLimit: RateLimit = { calls: 6000, windowMs: 60_000 }
const maxUrlLength = 8192
const maxParamLength = 1024

const nobody: Verifier = () =>
  Promise.reject(problem('token_invalid', { detail: 'This server checks no credentials.' }))

/**
 * The HTTP edge that every service shares: request ids, security headers, CORS, JSON within bounds, problems,
 * one log line and one count per request. Routes are added with `registerRoute`; `serve` gives it a listener.
 */
export function createApp(options: AppOptions = {}): FastifyInstance {
  const trusted = options.trustedProxies ?? []
  const app = fastify({
    logger: false,
    genReqId: requestId,
    requestIdHeader: false,
    bodyLimit: options.maxBodyBytes ?? defaultMaxBodyBytes,
    trustProxy: trusted.length > 0 ? [...trusted] : false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength },
    frameworkErrors: (error, request, reply) => {
      // Such a request was not routed, so no hook has run for it.
      reply.headers(securityHeaders(false, false)).header('x-request-id', request.id)
      sendProblem(error, request, reply)
    },
  })
  const paths = createPathTable(app)
  app.decorate('edge', createEdge(options))
  app.decorateRequest('caller', undefined)
  app.decorateRequest('traceparent', undefined)
  app.decorateRequest('startedMs', 0)
  readBodies(app)
  app.addHook('onRequest', onRequest)
  app.addHook('onResponse', onResponse)
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply))
  app.setNotFoundHandler((request, reply) => answerUnknown(paths, request, reply))
  return app
}

function createEdge(options: AppOptions): Edge {
  const clock = options.clock ?? systemClock
  const limit = options.rateLimit ?? defaultRateLimit
  return {
    verifier: options.verifier ?? nobody,
    clock,
    log: options.log ?? silentLog,
    life: options.life ?? createLife(),
    cookies: options.cookies ?? cookieNames({ port: 8000, secure: false }),
    allowedOrigins: new Set(options.allowedOrigins),
    limiter: limit ? createRateLimiter(limit, clock) : undefined,
    streams: createStreamLimits(options.streams),
    metrics: options.metrics,
    inFlightKeys: new Set(),
  }
}

function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const json = /^application\/(?:json|csp-report|reports\+json)\s*(?:;|$)/i
  app.addContentTypeParser(json, { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    body.length === 0 ? undefined : readJson(textOf(body)),
  )
  const form = 'application/x-www-form-urlencoded'
  app.addContentTypeParser(form, { parseAs: 'string' }, async (_request: FastifyRequest, body: string) =>
    Object.fromEntries(new URLSearchParams(body)),
  )
}

/** Other bytes than UTF-8 would be kept as question marks without a word. */
function textOf(body: Buffer): string {
  if (isUtf8(body)) return body.toString('utf8')
  throw problem('request_malformed', { detail: 'The body is not UTF-8. Send JSON in that encoding.' })
}

const ownIdPrefix = randomBytes(9).toString('base64url')
let lastId = 0

/** A caller's id is taken only when it can do no harm in a log or a header. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  if (typeof given === 'string' && /^[\w-]{8,64}$/.test(given)) return given
  lastId += 1
  return `${ownIdPrefix}-${lastId.toString(36)}`
}

/** W3C trace context, version 00; ids of only zeros are invalid. */
function validTraceparent(header: unknown): string | undefined {
  if (typeof header !== 'string' || !/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header))
    return undefined
  return /^00-0{32}|-0{16}-/.test(header) ? undefined : header
}

function onRequest(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  const { edge } = request.server
  request.startedMs = performance.now()
  const isChange = !isSafeMethod(request.method)
  reply.headers(securityHeaders(edge.cookies.secure, isChange)).header('x-request-id', request.id)
  request.traceparent = validTraceparent(request.headers.traceparent)
  if (request.traceparent) reply.header('traceparent', request.traceparent)
  if (edge.life.phase === 'draining') reply.header('connection', 'close')
  if (request.url.length > maxUrlLength) {
    done(problem('request_malformed', { detail: `The address is longer than ${maxUrlLength} characters.` }))
    return
  }
  if (edge.allowedOrigins.size > 0) {
    reply.headers(corsHeaders(edge.allowedOrigins, request.headers.origin))
    if (answerPreflight(edge.allowedOrigins, request, reply)) return
  }
  done()
}

function onResponse(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { log, metrics } = request.server.edge
  const durationMs = performance.now() - request.startedMs
  const route = request.routeOptions.url ?? 'unknown'
  metrics?.observeRequest(request.method, route, reply.raw.statusCode, durationMs / 1000)
  log.info(
    {
      request_id: request.id,
      method: request.method,
      route,
      status: reply.raw.statusCode,
      duration_ms: Math.round(durationMs * 100) / 100,
      caller: request.caller?.id,
      ...(request.traceparent && { trace_id: request.traceparent.split('-')[1] }),
    },
    'request',
  )
  done()
}

function answerUnknown(paths: PathTable, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const limited = request.server.edge.limiter?.take(clientAddress(request))
  if (limited && !limited.allowed) {
    throw problem('rate_limit_exceeded', {
      detail: 'You have asked too often for addresses that do not exist.',
      retryAfterSeconds: limited.retryAfterSeconds,
    })
  }
  const methods = paths.methodsOf(request.url)
  if (methods.length === 0) {
    throw problem('route_not_found', { detail: 'Look up the addresses at /docs or /openapi.json.' })
  }
  reply.header('allow', methods.join(', '))
  if (request.method === 'OPTIONS') return reply.code(204).send()
  throw problem('method_not_allowed', { detail: `This address takes ${methods.join(', ')}.` })
}
