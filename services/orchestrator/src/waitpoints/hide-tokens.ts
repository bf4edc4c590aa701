import type { Caller } from '@kyros/kernel/verifier'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { mayActOnRun } from '../runs/must-own.ts'

type Context = Pick<ApiContext, 'store' | 'engine'>

const replacement = '[waitpoint token]'

// Only its end, which begins with a rare character: so that text without a token costs one fast look.
const tail = /\.(?:\d{1,9}-)?\d{1,9}\.[\w-]{24}/
const whole =
  /(?:[\w-]{8}\.)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.(?:\d{1,9}-)?\d{1,9}\.[\w-]{24})/g

/** False for nearly every answer: then nothing has to be hidden in it. */
function mayHoldTokens(caller: Caller | undefined, text: string): boolean {
  return caller?.role !== 'admin' && tail.test(text)
}

/**
 * The text with the tokens of waitpoints replaced that the caller could answer though they may not act on the run:
 * runs hand tokens to their steps, so they stand in inputs, events, logs and whatever steps make of them. What only
 * looks like a token stays. A token that was cut into pieces or encoded anew is not found.
 */
export async function hideTokens(
  { store, engine }: Context,
  caller: Caller | undefined,
  text: string,
): Promise<string> {
  if (!mayHoldTokens(caller, text)) return text
  const mayAnswer = new Map<string, boolean>()
  for (const [found, core = ''] of text.matchAll(whole)) {
    const runId = runOf(engine, found, core)
    if (runId === undefined || mayAnswer.has(runId)) continue
    mayAnswer.set(runId, caller !== undefined && (await mayActOnRun(store, runId, caller)))
  }
  return text.replace(whole, (found, core: string) => {
    const runId = runOf(engine, found, core)
    if (runId === undefined || mayAnswer.get(runId)) return found
    return replacement
  })
}

/** What stands in front may be the key of the token, or text that is none of it. */
function runOf(engine: Context['engine'], found: string, core: string): string | undefined {
  return engine.runOfWaitpoint(found) ?? engine.runOfWaitpoint(core)
}

/** Hides them in every text that the routes of this app answer with. Streams do it message by message. */
export function hideTokensInAnswers(app: FastifyInstance, context: Context): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const { caller } = request
    if (typeof payload !== 'string' || !mayHoldTokens(caller, payload)) return done(null, payload)
    hideTokens(context, caller, payload).then(
      (shown) => {
        // The tag is that of the whole answer.
        if (shown !== payload) reply.removeHeader('etag')
        done(null, shown)
      },
      (error: Error) => done(error),
    )
  })
}
