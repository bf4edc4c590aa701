import type { FastifyReply, FastifyRequest } from 'fastify'
import { acceptedType } from './accepted-type.ts'

/** True when the caller would rather have an event stream than JSON. Says in `Vary` that the answer depends on it. */
export function wantsEventStream(request: FastifyRequest, reply: FastifyReply): boolean {
  reply.header('vary', 'Accept')
  const { accept } = request.headers
  return acceptedType(accept, ['application/json', 'text/event-stream']) === 'text/event-stream'
}
