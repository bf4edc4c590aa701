import type { TSchema } from 'typebox'
import type { Role } from './auth.ts'
import type { ProblemCode } from './problem.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/**
 * One operation of the API. Fastify, the typed client, OpenAPI and the docs are all made from it.
 * `permission` is the least role that may call it; `public` needs no credentials.
 * `problems` lists what this operation can answer besides the problems every route shares (`commonProblems`).
 */
export type Route = {
  readonly method: Method
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly permission: Role | 'public'
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly success: { readonly status: number; readonly schema?: TSchema; readonly mediaType?: string }
  readonly problems?: readonly ProblemCode[]
  /** Takes an `Idempotency-Key`: the first answer is kept for 24 hours. */
  readonly idempotent?: boolean
  /** Also answers `text/event-stream` when asked; resumes with `Last-Event-ID`. */
  readonly stream?: boolean
}

export const commonProblems = [
  'request_malformed',
  'request_invalid',
  'request_origin_refused',
  'body_too_large',
  'media_type_unsupported',
  'rate_limit_exceeded',
  'credentials_missing',
  'token_invalid',
  'permission_denied',
  'store_unavailable',
  'storage_full',
  'service_not_ready',
  'internal_error',
] as const satisfies readonly ProblemCode[]

/** What whoever needs the Temporal cluster is told while it cannot be used; nothing on the embedded engine answers so. */
export const temporalProblems = [
  'temporal_unavailable',
  'temporal_namespace_missing',
  'temporal_refused',
] as const satisfies readonly ProblemCode[]

/** Keeps the literal types of a table of routes while checking its shape. */
export function routes<const T extends Record<string, Route>>(table: T): T {
  return table
}
