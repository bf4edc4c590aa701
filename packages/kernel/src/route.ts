import { atLeast } from '@kyros/contract/auth'
import { type FieldError, ProblemError, problem } from '@kyros/contract/problem'
import type { Route } from '@kyros/contract/route'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import type { Static, TSchema } from 'typebox'
import { clientAddress } from './client-address.ts'
import { readCredentials } from './credentials.ts'
import { type IdempotencyKey, reserveIdempotencyKey } from './idempotency.ts'
import { type RateDecision, type RateLimiter, rateLimitHeaders } from './rate-limit.ts'
import { checkRequestOrigin, isSafeMethod } from './request-origin.ts'
import { type Check, createCheck } from './validate.ts'
import type { Caller, Credentials } from './verifier.ts'

type StaticOf<S> = S extends TSchema ? Static<S> : undefined
type Maybe<R, K extends keyof Route> = R extends { readonly [P in K]: infer S } ? StaticOf<S> : undefined
type CallerOf<R extends Route> = R['permission'] extends 'public' ? undefined : Caller
type Body<R extends Route> = R['success'] extends { readonly schema: infer S } ? StaticOf<S> : unknown

export type HandlerInput<R extends Route> = {
  params: Maybe<R, 'params'>
  query: Maybe<R, 'query'>
  body: Maybe<R, 'body'>
  caller: CallerOf<R>
  /** The request's Idempotency-Key, on routes that take one. */
  idempotency: IdempotencyKey | undefined
  request: FastifyRequest
  reply: FastifyReply
}

/** Returns the body, or `reply` when it has answered (or begun to stream) itself. */
export type Handler<R extends Route> = (
  input: HandlerInput<R>,
) => Promise<Body<R> | FastifyReply> | Body<R> | FastifyReply

export type RouteOptions = {
  /** Asked before the credentials; true: it has answered (a page for browsers at the address of an API route). */
  before?: (request: FastifyRequest, reply: FastifyReply) => boolean
  /** What a body may be; JSON when not given. */
  mediaTypes?: readonly string[]
  /** Takes changes from pages of other sites; only for routes where that can do no harm. */
  anyOrigin?: boolean
  maxBodyBytes?: number
}

const json = ['application/json'] as const

/**
 * Adds one operation of the contract to an app, at `/x` and `/x/`. In this order it checks the origin, the
 * credentials, the rate limit, the permission, and then params, query and body against the route's schemas.
 */
export function registerRoute<const R extends Route>(
  app: FastifyInstance,
  route: R,
  handler: Handler<R>,
  options: RouteOptions = {},
): void {
  const validate = createValidation(route)
  app.route({
    method: route.method satisfies HTTPMethods,
    url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    ...(options.maxBodyBytes !== undefined && { bodyLimit: options.maxBodyBytes }),
    onRequest: (request, reply, done) => {
      if (options.before?.(request, reply)) return
      guard(route, options, request, reply).then(
        () => done(),
        (error: Error) => done(error),
      )
    },
    handler: async (request, reply) => {
      validate(request)
      const release = route.idempotent ? reserveIdempotencyKey(route, request) : undefined
      reply.code(route.success.status)
      try {
        // The border between what was validated above and the types that the same schemas give.
        const input = {
          params: request.params,
          query: request.query,
          body: request.body,
          caller: request.caller,
          idempotency: release?.key,
          request,
          reply,
        } as unknown as HandlerInput<R>
        const body: unknown = await handler(input)
        if (body === undefined && !reply.sent) return await reply.send()
        return body
      } finally {
        release?.release()
      }
    },
  })
}

async function guard(
  route: Route,
  options: RouteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { edge } = request.server
  const isSafe = isSafeMethod(request.method)
  if (edge.life.phase === 'draining' && !isSafe) {
    throw problem('service_not_ready', { detail: 'The server is stopping. Try again.', retryAfterSeconds: 2 })
  }
  const credentials = await presented(route, request, reply)
  const isAmbient = credentials === undefined || credentials.kind === 'cookie'
  if (!isSafe && isAmbient && !options.anyOrigin) checkRequestOrigin(request)
  if (route.permission !== 'public') await identify(credentials, request, reply)
  spend(request, reply, request.caller?.id ?? clientAddress(request))
  checkPermission(route, request)
  if (!isSafe) checkMediaType(request, options.mediaTypes ?? json)
}

async function presented(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Credentials | undefined> {
  try {
    return readCredentials(request)
  } catch (error) {
    if (route.permission === 'public') return undefined
    spend(request, reply, clientAddress(request))
    throw error
  }
}

/**
 * A refused request counts against its address. One with too many refusals is turned away before its next guess is
 * looked at, so that guessing costs nothing here and a right guess does not get in.
 */
async function identify(
  credentials: Credentials | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { edge } = request.server
  const address = clientAddress(request)
  if (!credentials) {
    spend(request, reply, address)
    throw problem('credentials_missing', {
      detail: 'Send a bearer token, an X-API-Key or the session cookie; POST /auth/login gives you one.',
    })
  }
  const refusals = `refusals of ${address}`
  if (edge.limiter) mustBeAllowed(edge.limiter, edge.limiter.peek(refusals), reply)
  try {
    request.caller = await edge.verifier(credentials)
  } catch (error) {
    // A database that is down is no attack: only what was looked at and found wrong counts and is reported.
    if (error instanceof ProblemError && error.status === 401) {
      spend(request, reply, refusals)
      edge.log.security('token.refused', {
        request_id: request.id,
        kind: credentials.kind,
        address: request.ip,
      })
    }
    throw error
  }
}

function spend(request: FastifyRequest, reply: FastifyReply, key: string): void {
  const { limiter } = request.server.edge
  if (limiter) mustBeAllowed(limiter, limiter.take(key), reply)
}

function mustBeAllowed({ limit }: RateLimiter, decision: RateDecision, reply: FastifyReply): void {
  reply.headers(rateLimitHeaders(limit, decision))
  if (decision.allowed) return
  throw problem('rate_limit_exceeded', {
    detail: `Wait ${decision.retryAfterSeconds} s and try again.`,
    retryAfterSeconds: decision.retryAfterSeconds,
  })
}

function checkPermission(route: Route, request: FastifyRequest): void {
  const { permission } = route
  const { caller } = request
  if (permission === 'public' || (caller && atLeast(caller.role, permission))) return
  request.server.edge.log.security('permission.denied', {
    request_id: request.id,
    caller: caller?.id,
    route: route.path,
  })
  throw problem('permission_denied', { detail: `This needs the role ${permission}. Ask an admin for it.` })
}

function checkMediaType(request: FastifyRequest, accepted: readonly string[]): void {
  const given = request.headers['content-type']
  if (given === undefined) return
  const mediaType = given.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (accepted.includes(mediaType)) return
  throw problem('media_type_unsupported', { detail: `Send the body as ${accepted.join(' or ')}.` })
}

function createValidation(route: Route): (request: FastifyRequest) => void {
  const params = route.params && createCheck(route.params, 'params')
  const query = route.query && createCheck(route.query, 'query')
  const body = route.body && createCheck(route.body, 'body')
  const bodyMayBeLeftOut = route.body !== undefined && isAllOptional(route.body)
  return (request) => {
    check(params, request.params)
    check(query, request.query)
    if (!body) return
    if (request.body === undefined && bodyMayBeLeftOut) request.body = {}
    check(body, request.body, Number(request.headers['content-length'] ?? 0))
  }
}

function isAllOptional(schema: TSchema): boolean {
  return 'type' in schema && schema.type === 'object' && !('required' in schema)
}

function check(part: Check | undefined, value: unknown, bytes?: number): void {
  const errors = part?.(value, bytes)
  if (errors) throw problem('request_invalid', { detail: summary(errors), errors })
}

function summary(errors: readonly FieldError[]): string {
  const [first] = errors
  const name = first?.path.replace(/^\//, '') || 'the body'
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : ''
  return `Correct ${name}: it ${first?.message}${more}.`
}
