import { type SseMessage, type SseStream, streamSse as streamMessages } from '@kyros/kernel/sse'
import type { Caller } from '@kyros/kernel/verifier'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiContext } from '../context.ts'
import { hideTokens } from '../waitpoints/hide-tokens.ts'

type Input = { request: FastifyRequest; reply: FastifyReply; caller: Caller }

/** The stream of the kernel, without the tokens of waitpoints that the caller may not answer. @throws rate_limit_exceeded */
export function streamSse(
  context: Pick<ApiContext, 'store' | 'engine'>,
  input: Input,
  write: (stream: SseStream) => Promise<void>,
): Promise<FastifyReply> {
  const shown = async ({ data, ...rest }: SseMessage): Promise<SseMessage> => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    return { ...rest, data: await hideTokens(context, input.caller, text) }
  }
  return streamMessages(input, (stream) =>
    write({ ...stream, send: async (message) => stream.send(await shown(message)) }),
  )
}
