import { type Problem, ProblemError, problem, problems, problemType } from '@kyros/contract/problem'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isObject } from './is-object.ts'

export const problemMediaType = 'application/problem+json; charset=utf-8'

/** The body of a problem, as RFC 9457 has it. */
export function problemBody(error: ProblemError, requestId: string): Problem {
  return {
    type: problemType(error.code),
    title: problems[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.errors && { errors: error.errors }),
  }
}

/** Headers that belong to a problem: when to try again, how to sign in. */
export function problemHeaders(error: ProblemError): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': problemMediaType, 'cache-control': 'no-store' }
  if (error.retryAfterSeconds !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterSeconds)))
  }
  if (error.status === 401) {
    const reason = error.code === 'token_invalid' ? ', error="invalid_token"' : ''
    headers['www-authenticate'] = `Bearer realm="kyros"${reason}`
  }
  return headers
}

/** Answers with a problem. A bug becomes `internal_error`; its stack goes to the log and nowhere else. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toProblem(error, request.routeOptions.bodyLimit)
  const log = request.server.edge.log
  const fields = { request_id: request.id, method: request.method, route: request.routeOptions.url }
  if (known.status === 500) log.error({ ...fields, err: error }, 'request failed')
  else if (known.cause !== undefined) log.warn({ ...fields, code: known.code, err: known.cause }, 'problem')
  reply.code(known.status).headers(problemHeaders(known))
  return reply.serializer(JSON.stringify).send(problemBody(known, request.id))
}

/** Reads an error of Fastify, of Node or of ours as the problem that its sender should see. */
export function toProblem(error: unknown, maxBodyBytes?: number): ProblemError {
  if (error instanceof ProblemError) return error
  const code = isObject(error) && typeof error.code === 'string' ? error.code : ''
  const status = isObject(error) && typeof error.statusCode === 'number' ? error.statusCode : 500
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('body_too_large', { detail: `Send a smaller body: ${limitText(maxBodyBytes)}.` })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problem('media_type_unsupported', { detail: 'Send the body as application/json.' })
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return problem('request_malformed', {
        detail: 'The address holds a wrong escape or a segment that is too long.',
      })
  }
  if (status >= 400 && status < 500) {
    return problem('request_malformed', {
      detail: 'The body does not match its headers, or it is cut off.',
      cause: error,
    })
  }
  return problem('internal_error', {
    detail: 'Try again. If it goes on, look for the request id in the log of the server.',
    cause: error,
  })
}

function limitText(maxBytes: number | undefined): string {
  if (maxBytes === undefined) return 'it is over the limit'
  return `${new Intl.NumberFormat('en').format(maxBytes)} bytes are the limit here`
}
