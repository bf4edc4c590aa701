import { type ProblemError, problem } from '@kyros/contract/problem'
import type { Journal } from './journal.ts'
import type { EngineClock, Timers } from './timers.ts'

type Done = () => void
type Lost = (error: unknown) => void

/** To whom something is done from outside. */
export type TurnOf = {
  readonly facts: { readonly runId: string }
  readonly journal: Journal
  readonly ended: boolean
  readonly isClosed: boolean
}

type DurableParts = { readonly timers: Timers; readonly clock: EngineClock }

/** How long somebody outside waits until what is done for them is on disk. */
export const longestDurableMs = 10_000

/**
 * A turn for somebody who waits: `enqueue` gives it its place, and the promise is settled when what `turn` did is
 * durable, was refused or lost. An outage may keep it from all of these: then it rejects in time, and nobody knows.
 * @throws run_ended, service_not_ready when the run is let go, store_unavailable
 */
export function durably(
  { timers, clock }: DurableParts,
  run: TurnOf,
  enqueue: (turn: () => void) => void,
  turn: (done: Done, lost: Lost) => void,
): Promise<void> {
  const { runId } = run.facts
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const limit = timers.at(clock.nowMs() + longestDurableMs, () => reject(unknownOutcome(runId)))
  const settled = (settle: () => void) => {
    limit.cancel()
    settle()
  }
  const refuse = (error: unknown) => settled(() => reject(error))
  enqueue(() => {
    if (run.isClosed) return refuse(stopping())
    // An answer that is given at once rests on what was done before: that has to be on disk, too.
    let isTurn = true
    const answered = (answer: () => void) =>
      isTurn ? run.journal.whenWritten(() => settled(answer), refuse) : settled(answer)
    const lost = (error: unknown) => answered(() => reject(error))
    try {
      if (!run.ended) turn(() => answered(resolve), lost)
      else lost(problem('run_ended', { detail: `The run ${runId} has ended: nothing reaches it any more.` }))
    } catch (fault) {
      // The run is read again; who waits must hear of it all the same.
      refuse(fault)
      throw fault
    } finally {
      isTurn = false
    }
  })
  return promise
}

function stopping(): ProblemError {
  return problem('service_not_ready', { detail: 'The engine is stopping. Try again.' })
}

/** Nobody can say whether it was taken. */
export function unknownOutcome(runId: string): ProblemError {
  return problem('store_unavailable', {
    detail:
      `What was asked of the run ${runId} could not be confirmed as stored in time. It may have been taken and may ` +
      'still take effect: look at the run before asking again, unless asking twice is the same as once.',
    retryAfterSeconds: 1,
  })
}
