import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { type ProblemError, problem } from '@kyros/contract/problem'
import type { EngineParts } from '../engine-parts.ts'
import type { LiveRun } from '../live-run.ts'
import type { UpdateEnd } from '../workflow-command.ts'
import { storedInTime } from './stored-in-time.ts'

export type Update = { name: string; payload: Json; updateId: string; actor: string }

/** How long an answer is waited for. */
export const longestWaitMs = 30_000

/**
 * Asks the definition of a run in memory for a change and waits for its answer. What is accepted is durable, whether or
 * not the answer comes in time. @throws update_unknown, update_rejected, update_failed, update_pending,
 * run_not_started, run_ended
 */
export async function updateLive(
  parts: Pick<EngineParts, 'store' | 'timers' | 'clock'>,
  run: LiveRun,
  update: Update,
): Promise<Json> {
  const { name, payload, updateId, actor } = update
  const stored = await storedInTime(parts, run.facts.runId, payload, `The payload of update ${name}`)
  const answer = Promise.withResolvers<UpdateEnd>()
  const asker = {
    answer: answer.resolve,
    refused: (error: ErrorData) => answer.reject(refusedAs(error)),
    blocked: (detail: string) => answer.reject(pending(update, `The run is blocked: ${detail}`)),
    lost: answer.reject,
  }
  const giveUp = parts.timers.at(parts.clock.nowMs() + longestWaitMs, () => answer.reject(pending(update)))
  try {
    const asking = run.act((_hands, done, lost) => {
      if (run.startedMs === undefined || run.host === undefined) {
        lost(notStarted(run.facts.runId))
        return
      }
      const refusal = () => run.host?.refusal(name, payload)
      const { updates } = run.asked()
      updates.ask({ name, updateId, payload, stored, actor, refusal }, asker)
      if (run.blocked !== undefined) updates.tellBlocked(run.blocked)
      done()
    })
    asking.catch(answer.reject)
    return resultOf(update, await answer.promise)
  } finally {
    giveUp.cancel()
    // In a turn, so that a run that stayed in memory for the answer is looked at again.
    if (run.asks?.updates.isAwaited === true) run.post(() => run.asks?.updates.leave(updateId, asker))
  }
}

/** The result, or the problem that its failure is. @throws update_failed, update_rejected, update_unknown */
export function resultOf({ name }: Pick<Update, 'name'>, end: UpdateEnd): Json {
  if (end.kind === 'completed') return end.result
  const { code, message } = end.error
  // Refused for another process, which is told by the log.
  if (code === 'update_unknown' || code === 'update_rejected') throw refusedAs(end.error)
  throw problem('update_failed', { detail: `The update ${name} failed with ${code}: ${message}` })
}

export function refusedAs({ code, message }: ErrorData): ProblemError {
  return problem(code === 'update_unknown' ? 'update_unknown' : 'update_rejected', { detail: message })
}

export function pending({ name, updateId }: Pick<Update, 'name' | 'updateId'>, why = ''): ProblemError {
  return problem('update_pending', {
    detail: `The update ${name} is accepted and still under way. ${why}${why === '' ? '' : ' '}Ask again with the same update_id ${updateId}.`,
  })
}

export function notStarted(runId: string): ProblemError {
  return problem('run_not_started', {
    detail: `The run ${runId} has not begun: it has nothing to answer with yet.`,
  })
}
