import {
  type ConcludeActivationInput,
  proxySinks,
  type WorkflowExecuteInput,
  type WorkflowInterceptors,
} from '@temporalio/workflow'
import { textOf } from '../error-text.ts'
import type { RunLogSinks } from './workflow-adapter.ts'

type Tracked = Pick<Map<Promise<unknown>, Set<Promise<unknown>>>, 'set' | 'get' | 'delete'>
type Activator = { promiseStackStore: { childToParent: Tracked } }

/**
 * Local activities are recorded with what they were given, the trace of the request goes on to all that the run asks for,
 * and the worker hears of the end of a run.
 *
 * A promise that a definition forgets, and that is rejected, is a line in the log of its run, as on the embedded engine:
 * by itself Temporal would block the run for it. Its SDK tells the sandbox of every promise, to show where a run waits.
 */
export const interceptors = (): WorkflowInterceptors => {
  const handleForgotten = watchPromises()
  let trace: Pick<WorkflowExecuteInput, 'headers'>['headers'] = {}
  const traced = <I extends { headers: typeof trace }>(input: I): I => ({
    ...input,
    headers: { ...input.headers, ...trace },
  })
  return {
    inbound: [
      {
        execute: (input, next) => {
          const { traceparent } = input.headers
          if (traceparent !== undefined) trace = { traceparent }
          return next(input)
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(traced(input)),
        scheduleLocalActivity: (input, next) => next(traced(input)),
        startChildWorkflowExecution: (input, next) => next(traced(input)),
        continueAsNew: (input, next) => next(traced(input)),
      },
    ],
    internals: [
      {
        concludeActivation: (input, next) => {
          handleForgotten()
          // The log is made of it: of a local activity nothing else says what it was asked for with.
          for (const { scheduleLocalActivity } of input.commands)
            if (scheduleLocalActivity) scheduleLocalActivity.includeArgumentsIntoMarker = true
          if (input.commands.some(isEnd)) proxySinks<RunLogSinks>().kyros.ended()
          return next(input)
        },
      },
    ],
  }
}

type Command = ConcludeActivationInput['commands'][number]

const isEnd = (command: Command) =>
  Boolean(
    command.completeWorkflowExecution ||
      command.failWorkflowExecution ||
      command.cancelWorkflowExecution ||
      command.continueAsNewWorkflowExecution,
  )

function warn(error: unknown): void {
  const { kyros } = proxySinks<RunLogSinks>()
  kyros.log('warn', `The definition does not handle an error: ${textOf(error)}`, Date.now())
}

/** Gives what handles the promises that were settled since it was last called, and that nobody had looked at. */
function watchPromises(): () => void {
  const activator = sandbox.__TEMPORAL_ACTIVATOR__
  if (activator === undefined) return () => {}
  const known = activator.promiseStackStore.childToParent
  const handled = new WeakSet<Promise<unknown>>()
  let settled: Promise<unknown>[] = []
  activator.promiseStackStore.childToParent = {
    get: (promise) => known.get(promise),
    set(promise, parents) {
      for (const parent of parents) handled.add(parent)
      known.set(promise, parents)
      // Border cast: nobody uses what it gives back.
      return known as Map<Promise<unknown>, Set<Promise<unknown>>>
    },
    delete(promise) {
      settled.push(promise)
      return known.delete(promise)
    },
  }
  return () => {
    const open = settled.filter((promise) => !handled.has(promise))
    settled = []
    unwatched(() => {
      // What comes of it is nobody's either, and needs no look of its own the next time.
      for (const promise of open) handled.add(promise.then(undefined, warn))
    })
  }
}

// Border cast: the SDK keeps the state of its sandbox there; without it there is nothing to watch.
const sandbox = globalThis as unknown as { __TEMPORAL_ACTIVATOR__: Activator | undefined }

/** The SDK takes a stack of every promise that is made, which costs more than the promise: these need none. */
function unwatched(act: () => void): void {
  const activator = sandbox.__TEMPORAL_ACTIVATOR__
  sandbox.__TEMPORAL_ACTIVATOR__ = undefined
  try {
    act()
  } finally {
    sandbox.__TEMPORAL_ACTIVATOR__ = activator
  }
}
