import type { Json } from '@kyros/contract/json'
import type { CancellationScope as Handle, Round, Saga, ScopeOptions } from '@kyros/workflows/define'
import { failureOf, isNamed } from '@kyros/workflows/failures'
import { CancellationScope } from '@temporalio/workflow'
import { timerMs } from '../embedded/asked-values.ts'
import { failureText, type Undo, undoAll } from '../embedded/undo.ts'
import { guard, known } from './adapter-errors.ts'
import { toPayload } from './adapter-payload.ts'
import { type Execution, isContinueSuggested, startTimer, waitFor } from './workflow-adapter.ts'

/** `context.scope`. */
export async function runScope<T>(
  execution: Execution,
  { timeoutMs }: ScopeOptions,
  body: (scope: Handle) => Promise<T>,
): Promise<T> {
  const { bundle } = execution
  // The embedded engine looks for a cancellation here: its commands have this order.
  await undefined
  const timing = new CancellationScope()
  const own = new CancellationScope()
  let timedOut = false
  if (timeoutMs !== undefined) {
    const durationMs = timerMs(timeoutMs, Date.now())
    timing
      .run(() => startTimer(execution, 'scope', durationMs))
      .then(
        () => {
          timedOut = !own.consideredCancelled
          own.cancel()
        },
        () => {},
      )
  }
  const handle = {
    cancel: () => own.cancel(),
    get cancelled() {
      return own.consideredCancelled
    },
  }
  try {
    return await guard(bundle, () => own.run(() => body(handle)))
  } catch (error) {
    if (!timedOut || timeoutMs === undefined || !isNamed(error, 'Cancelled')) throw error
    if (CancellationScope.current().consideredCancelled) throw error
    const TimedOut = known(bundle.ScopeTimedOut)
    throw new TimedOut(timeoutMs)
  } finally {
    if (timeoutMs !== undefined && !timedOut) timing.cancel()
  }
}

/** `context.saga`. */
export async function runSaga<T>({ bundle }: Execution, body: (saga: Saga) => Promise<T>): Promise<T> {
  const compensations: Undo[] = []
  try {
    return await body({ compensate: (undo) => void compensations.push(undo) })
  } catch (error) {
    const failure = failureOf(error)
    if (failure === undefined) throw error
    const failures = await CancellationScope.nonCancellable(() => undoAll(compensations.reverse()))
    if (failures.length === 0) throw error
    const Failure = known(bundle.CompensationFailure)
    throw new Failure([failureText(failure), ...failures])
  }
}

/** `context.loop`. */
export async function runLoop<State, Result>(
  execution: Execution,
  initial: State,
  body: (state: State) => Promise<Round<State, Result>>,
  input: Json,
): Promise<Result> {
  const carried = execution.takeLoopState()
  // Border cast: the state is what an earlier part of this run gave to the same loop.
  let state = carried === undefined ? initial : (carried.state as State)
  for (;;) {
    const round = await body(state)
    if ('done' in round) return round.done
    state = round.next
    if (!isContinueSuggested(execution)) continue
    await waitFor(execution, () => execution.messages.updatesUnderWay === 0, undefined)
    return execution.continueWith({ input, loop: { state: toPayload(state, 'The state of the loop') } })
  }
}
