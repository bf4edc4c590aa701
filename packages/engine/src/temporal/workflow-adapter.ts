import type { Json } from '@kyros/contract/json'
import type {
  Cancelled,
  StepFailure,
  StepOptions,
  WorkflowContext,
  WorkflowDefinition,
} from '@kyros/workflows/define'
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  isCancellation,
  log,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { createReplayRandom } from '../embedded/replay-random.ts'
import { type ResolvedStepOptions, resolveStepOptions } from '../embedded/retry-policy.ts'

/** The exports of a definition's bundle. */
export type DefinitionBundle = {
  definition: WorkflowDefinition
  Cancelled: typeof Cancelled
  StepFailure: typeof StepFailure
}

/** What the starter tells beside the input. */
export type StartedWith = { attempt: number; version: string; maxRetries?: number }

type Activity = (input: unknown) => Promise<Json>
type AnySteps = { [name: string]: (input: never) => Promise<Json> }
type StepCall = (input: unknown, options?: StepOptions) => Promise<Json>

/** A definition as a Temporal workflow function: each call of its context is the command that Temporal has for it. */
export function toTemporal(bundle: DefinitionBundle) {
  return async (input: Json, started: StartedWith): Promise<unknown> => {
    const context = createContext(bundle, started)
    try {
      // What is null on the wire is null here too, as on the embedded engine.
      return (await bundle.definition.run(context, input)) ?? null
    } catch (error) {
      throw failureOf(error)
    }
  }
}

function createContext(bundle: DefinitionBundle, started: StartedWith): WorkflowContext<AnySteps> {
  const { runId, workflowType } = workflowInfo()
  const { random, uuid } = createReplayRandom(runId)
  const { attempt, version, maxRetries = 3 } = started
  return {
    info: { runId, workflow: workflowType, version, attempt },
    step: createSteps(bundle, maxRetries),
    sleep: (durationMs) => guard(bundle, () => sleep(Math.max(1, Math.ceil(durationMs)))),
    condition: (predicate, timeoutMs) => guard(bundle, () => waitFor(predicate, timeoutMs)),
    onSignal: (name, handler) => setHandler(defineSignal<[Json]>(name), handler),
    shield: (body) => CancellationScope.nonCancellable(body),
    now: () => Date.now(),
    random,
    uuid,
    log: (level, message) => log[level](message),
  }
}

async function waitFor(predicate: () => boolean, timeoutMs: number | undefined): Promise<boolean> {
  if (predicate()) return true
  if (timeoutMs !== undefined) return condition(predicate, Math.max(1, Math.ceil(timeoutMs)))
  await condition(predicate)
  return true
}

function createSteps(bundle: DefinitionBundle, maxRetries: number): WorkflowContext<AnySteps>['step'] {
  const uses = new Map<string, number>()
  const target: { [name: string]: StepCall } = {}
  return new Proxy(target, {
    get: (_target, name) => {
      if (typeof name !== 'string') return undefined
      const call: StepCall = (input, given) => {
        const count = (uses.get(name) ?? 0) + 1
        if (given?.key === undefined) uses.set(name, count)
        const activityId = given?.key ?? (count === 1 ? name : `${name}#${count}`)
        const options = resolveStepOptions(given, bundle.definition.stepDefaults?.[name], maxRetries)
        const activity = proxyActivities<{ [step: string]: Activity }>(activityOptions(activityId, options))[
          name
        ]
        if (activity === undefined) throw new Error(`There is no activity ${name}.`)
        return guard(bundle, () => activity(input), name)
      }
      return call
    },
  })
}

function activityOptions(activityId: string, options: ResolvedStepOptions) {
  const { startToCloseMs, heartbeatMs, maxAttempts, initialMs, factor, maxMs, nonRetryable } = options
  return {
    activityId,
    startToCloseTimeout: startToCloseMs,
    ...(heartbeatMs === undefined ? {} : { heartbeatTimeout: heartbeatMs }),
    retry: {
      maximumAttempts: maxAttempts,
      initialInterval: initialMs,
      backoffCoefficient: factor,
      maximumInterval: Math.max(maxMs, initialMs),
      nonRetryableErrorTypes: [...nonRetryable],
    },
  }
}

/** Temporal's failures as the errors that a definition knows. */
async function guard<T>(bundle: DefinitionBundle, wait: () => Promise<T>, step = ''): Promise<T> {
  try {
    return await wait()
  } catch (error) {
    if (isCancellation(error)) throw new bundle.Cancelled('The run was cancelled.')
    if (!(error instanceof ActivityFailure)) throw error
    const { cause } = error
    const isApplication = cause instanceof ApplicationFailure
    const code = (isApplication ? cause.type : undefined) ?? 'step_error'
    throw new bundle.StepFailure(step, code, cause?.message ?? error.message, attemptsOf(cause))
  }
}

function attemptsOf(cause: unknown): number {
  const detail: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined
  if (typeof detail !== 'object' || detail === null || !('attempts' in detail)) return 1
  return typeof detail.attempts === 'number' ? detail.attempts : 1
}

/** By name: the error comes from the bundle. Anything unknown is a bug and fails the workflow task, not the workflow. */
function failureOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  switch (error.name) {
    case 'Cancelled':
      return new CancelledFailure(error.message)
    case 'WorkflowFailure':
    case 'StepFailure':
      return ApplicationFailure.nonRetryable(error.message, code)
    default:
      return error
  }
}
