import type { Json } from '@kyros/contract/json'
import type { ChildOptions, Waitpoint, WaitpointOptions, WorkflowContext } from '@kyros/workflows/define'
import {
  CancellationScope,
  defineSignal,
  executeChild,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { timerMs } from '../embedded/asked-values.ts'
import { guard, known } from './adapter-errors.ts'
import type { Execution } from './workflow-adapter.ts'

type WaitCalls = Pick<WorkflowContext, 'waitpoint' | 'child'>

/** Temporal has no question to the outside: a waitpoint is a signal of its own name, and a timer if it expires. */
export const waitpointSignal = (number: number) => `kyros.waitpoint.${number}`

export function createWaits(execution: Execution): WaitCalls {
  let waitpoints = 0
  return {
    waitpoint: <T>(name: string, options?: WaitpointOptions) => {
      waitpoints += 1
      return openWaitpoint<T>(execution, waitpoints, name, options)
    },
    child: <O>(workflow: string, input: Json, options?: ChildOptions) =>
      // Border cast: the result is JSON, and the definition says of what shape.
      startChild(execution, workflow, input, options) as Promise<O>,
  }
}

function openWaitpoint<T>(
  { bundle, started }: Execution,
  number: number,
  name: string,
  options: WaitpointOptions = {},
): Waitpoint<T> {
  const { timeoutMs } = options
  const answer = Promise.withResolvers<Json>()
  const timing = new CancellationScope()
  setHandler(defineSignal<[Json]>(waitpointSignal(number)), (payload) => {
    timing.cancel()
    answer.resolve(payload)
  })
  const expiry =
    timeoutMs === undefined
      ? new Promise<never>(() => {})
      : timing
          .run(() => sleep(Math.max(1, timerMs(timeoutMs, Date.now()))))
          .then(
            () => {
              const Expired = known(bundle.WaitpointExpired)
              throw new Expired(name)
            },
            // Answered, or its scope was cancelled.
            () => new Promise<never>(() => {}),
          )
  const cancelled = CancellationScope.current().cancelRequested
  const completed = guard(bundle, () => Promise.race([answer.promise, expiry, cancelled]))
  // Nobody has to look at it.
  completed.catch(() => {})
  const token = `${workflowInfo().workflowId}.${started.part ?? 0}-${number}`
  // Border cast: the payload is JSON, and the definition says of what shape.
  return { token, path: `/api/v1/waitpoints/${token}`, completed: completed as Promise<T> }
}

const closePolicies = { cancel: 'TERMINATE', request_cancel: 'REQUEST_CANCEL', abandon: 'ABANDON' } as const

function startChild(
  execution: Execution,
  workflow: string,
  input: Json,
  options: ChildOptions = {},
): Promise<unknown> {
  const { parentClose = 'request_cancel', timeoutSeconds = 24 * 3600 } = options
  const key = execution.nextKey(workflow, options.key)
  const { attempt: _, part: _part, carried: _carried, loop: _loop, ...rest } = execution.started
  return guard(execution.bundle, () =>
    executeChild(workflow, {
      args: [input, { ...rest, attempt: 1 }],
      workflowId: `${workflowInfo().workflowId}/${key}`,
      workflowExecutionTimeout: timeoutSeconds * 1000,
      parentClosePolicy: closePolicies[parentClose],
      cancellationType: parentClose === 'abandon' ? 'ABANDON' : 'TRY_CANCEL',
    }),
  )
}
