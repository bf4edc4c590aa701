import type { CancellationScope, Round, Saga, ScopeOptions } from '@kyros/workflows/define'
import { isNamed } from '@kyros/workflows/failures'
import { timerMs } from './asked-values.ts'
import { errorsOf } from './bundle-errors.ts'
import { toJson } from './json-value.ts'
import { failureIn } from './outcome-of.ts'
import { cancellationOf, type ScopeNode } from './scope-tree.ts'
import type { StructureHost } from './structure-host.ts'
import { failureText, type Undo, undoAll } from './undo.ts'
import { waitFor } from './workflow-timers.ts'

/** `context.scope`. */
export async function runScope<S extends ScopeNode, T>(
  host: StructureHost<S>,
  options: ScopeOptions,
  body: (scope: CancellationScope) => Promise<T>,
): Promise<T> {
  const parent = host.enter()
  await host.cancelledIn(parent)
  const isOver = host.answeredAtOnce()
  if (isOver !== undefined) return isOver
  const own = host.createScope(parent)
  const { timeoutMs } = options
  const timer = timeoutMs === undefined ? undefined : host.startTimer('scope', timerMs(timeoutMs, host.nowMs))
  let timedOut = false
  timer?.fired.then(
    () => {
      timedOut = own.cancelled === undefined
      host.cancelScope(own, `What was begun in the scope took longer than ${timeoutMs} ms.`)
    },
    // The parent was cancelled, and this scope with it.
    () => {},
  )
  try {
    return await host.inScope(own, () => body(handleOf(host, own)))
  } catch (error) {
    if (!timedOut || timeoutMs === undefined || !isNamed(error, 'Cancelled')) throw error
    throw cancellationOf(parent) ?? new (errorsOf(host.loaded).ScopeTimedOut)(timeoutMs)
  } finally {
    host.dropTimer(timer?.command ?? 0)
  }
}

function handleOf<S extends ScopeNode>(host: StructureHost<S>, own: S): CancellationScope {
  return {
    cancel: (reason = 'The scope was cancelled.') => {
      host.enter()
      host.cancelScope(own, reason)
    },
    get cancelled() {
      return cancellationOf(own) !== undefined
    },
  }
}

/** `context.saga`. */
export async function runSaga<S extends ScopeNode, T>(
  host: StructureHost<S>,
  body: (saga: Saga) => Promise<T>,
): Promise<T> {
  const outer = host.enter()
  const isOver = host.answeredAtOnce()
  if (isOver !== undefined) return isOver
  const compensations: Undo[] = []
  const compensate: Saga['compensate'] = (undo) => {
    host.enter()
    compensations.push(undo)
  }
  try {
    return await body({ compensate })
  } catch (error) {
    const failure = failureIn(error)
    if (failure === undefined) throw error
    const failures = await host.inScope(host.createScope(outer, 'shield'), () =>
      undoAll(compensations.reverse()),
    )
    if (failures.length === 0) throw error
    throw new (errorsOf(host.loaded).CompensationFailure)([failureText(failure), ...failures])
  }
}

// A body that never asks for anything would keep the engine in this loop for ever.
const maxIdleRounds = 100_000

/** `context.loop`. */
export async function runLoop<S extends ScopeNode, State, Result>(
  host: StructureHost<S>,
  initial: State,
  body: (state: State) => Promise<Round<State, Result>>,
): Promise<Result> {
  host.enter()
  // Border cast: the state is what an earlier part of this run gave to the same loop.
  let state = host.takeLoopState(toJson(initial, 'The state of the loop')) as State
  let idleRounds = 0
  let asked = host.issued
  for (;;) {
    const round = await body(state)
    if ('done' in round) return round.done
    // Border cast: a copy of a JSON value has its type.
    state = toJson(round.next, 'The state of the loop') as State
    idleRounds = host.issued === asked ? idleRounds + 1 : 0
    asked = host.issued
    if (idleRounds > maxIdleRounds) throw new Error('The body of the loop never waits for anything.')
    if (!host.size.continueSuggested) continue
    await waitFor(host, () => host.messages.updatesUnderWay === 0)
    return host.continueAs({
      input: host.run.input,
      loop: { state: toJson(state, 'The state of the loop') },
      upgrade: false,
    })
  }
}
