import { api } from '@kyros/contract/api'
import { isProblem, problem } from '@kyros/contract/problem'
import { clientAddress } from '@kyros/kernel/client-address'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiContext } from '../context.ts'
import { jsonBody } from '../http/json-body.ts'

/** What a run takes as a payload; nobody has shown who it is when the body is read. */
const maxAnswerBytes = 1024 * 1024

/** Questions of runs to whoever holds their token: a webhook or a person without an account. */
export function registerWaitpointRoutes(app: FastifyInstance, { engine }: ApiContext): void {
  registerRoute(app, api.getWaitpoint, async ({ params, request, reply }) => {
    const view = await withinGuesses(request, () => engine.describeWaitpoint(params.token))
    reply.header('cache-control', 'private, no-store')
    return {
      name: view.name,
      title: view.title,
      is_open: view.isOpen,
      expires_at: view.expiresAtMs === null ? null : new Date(view.expiresAtMs).toISOString(),
    }
  })
  const complete = async (token: string, body: unknown) => {
    await engine.completeWaitpoint(token, jsonBody(body))
    return { message: 'The answer is taken.' }
  }
  registerRoute(
    app,
    api.completeWaitpoint,
    ({ params, body, request }) => withinGuesses(request, () => complete(params.token, body)),
    // The token is the whole right: no cookie counts here, so a page of any site can do no more than its holder.
    { anyOrigin: true, maxBodyBytes: maxAnswerBytes },
  )
}

/**
 * A wrong token counts against its address, and one with too many is turned away before its next is looked at: so that
 * guessing costs nothing here and a right guess does not get in.
 */
async function withinGuesses<T>(request: FastifyRequest, answer: () => Promise<T>): Promise<T> {
  const { limiter } = request.server.edge
  const guesses = `waitpoint guesses of ${clientAddress(request)}`
  const known = limiter?.peek(guesses)
  if (known?.allowed === false) {
    throw problem('rate_limit_exceeded', {
      detail: `Wait ${known.retryAfterSeconds} s and try again.`,
      retryAfterSeconds: known.retryAfterSeconds,
    })
  }
  try {
    return await answer()
  } catch (error) {
    if (isProblem(error, 'waitpoint_token_invalid')) limiter?.take(guesses)
    throw error
  }
}
