import type { CarriedSignal } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { StepOptions, WorkflowContext } from '@kyros/workflows/define'
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  deprecatePatch,
  log,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow'
import { timerMs } from '../embedded/asked-values.ts'
import { createReplayRandom } from '../embedded/replay-random.ts'
import { type ResolvedStepOptions, resolveStepOptions } from '../embedded/retry-policy.ts'
import { type DefinitionBundle, guard } from './adapter-errors.ts'
import { runLoop, runSaga, runScope } from './adapter-structure.ts'
import { createWaits } from './adapter-waits.ts'

/** What the starter, or the part before, tells beside the input. */
export type StartedWith = {
  attempt: number
  version: string
  maxRetries?: number
  part?: number
  /** Whose dice it rolls; left out: its own. */
  seed?: string
  carried?: CarriedSignal[]
  loop?: { state: Json }
}

type Activity = (input: unknown) => Promise<Json>
type AnySteps = { [name: string]: (input: never) => Promise<Json> }
type StepCall = (input: unknown, options?: StepOptions) => Promise<Json>

/** One execution of a definition: what its context shares. */
export type Execution = {
  readonly bundle: DefinitionBundle
  readonly started: StartedWith
  readonly input: Json
  /** Set once the definition continues as new; nothing after it counts. */
  continueWith(next: { input: Json; loop?: { state: Json } }): Promise<never>
  takeLoopState(): { state: Json } | undefined
  /** The next key of a step or child, as the embedded engine gives it. */
  nextKey(name: string, given: string | undefined): string
  updatesUnderWay: number
}

/** A definition as a Temporal workflow function: each call of its context is the command that Temporal has for it. */
export function toTemporal(bundle: DefinitionBundle) {
  return async (input: Json, started: StartedWith): Promise<unknown> => {
    const continuing = Promise.withResolvers<{ input: Json; loop?: { state: Json } }>()
    const execution = createExecution(bundle, input, started, continuing.resolve)
    const running = bundle.definition
      .run(createContext(execution), input)
      // What is null on the wire is null here too, as on the embedded engine.
      .then((result) => ({ result: result ?? null }))
    const ended = await Promise.race([running, continuing.promise]).catch((error: unknown) => {
      throw failureOf(error)
    })
    if ('result' in ended) return ended.result
    const { part = 0, carried: _carried, loop: _loop, ...rest } = started
    const next = { ...rest, part: part + 1, ...(ended.loop === undefined ? {} : { loop: ended.loop }) }
    return continueAsNew<(input: Json, started: StartedWith) => Promise<unknown>>(ended.input, next)
  }
}

function createExecution(
  bundle: DefinitionBundle,
  input: Json,
  started: StartedWith,
  onContinue: (next: { input: Json; loop?: { state: Json } }) => void,
): Execution {
  const uses = new Map<string, number>()
  const { part = 0 } = started
  let { loop } = started
  return {
    bundle,
    started,
    input,
    updatesUnderWay: 0,
    continueWith: (next) => {
      onContinue(next)
      return new Promise(() => {})
    },
    takeLoopState: () => {
      const taken = loop
      loop = undefined
      return taken
    },
    nextKey: (name, given) => {
      const own = given ?? name
      const count = (uses.get(own) ?? 0) + 1
      uses.set(own, count)
      const key = count === 1 ? own : `${own}#${count}`
      return part === 0 ? key : `${key}~${part}`
    },
  }
}

function createContext(execution: Execution): WorkflowContext<AnySteps> {
  const { bundle, started, input } = execution
  const { runId, workflowType } = workflowInfo()
  const { part = 0, seed = runId } = started
  const { random, uuid } = createReplayRandom(part === 0 ? seed : `${seed}/${part}`)
  return {
    info: createInfo(started, runId, workflowType),
    step: createSteps(execution),
    sleep: (until) => guard(bundle, () => sleep(Math.max(1, timerMs(until, Date.now())))),
    condition: (predicate, timeoutMs) => guard(bundle, () => waitFor(predicate, timeoutMs)),
    ...createWaits(execution),
    ...createMessages(execution),
    scope: (options, body) => runScope(execution, options, body),
    shield: (body) => CancellationScope.nonCancellable(body),
    saga: (body) => runSaga(execution, body),
    patch: (id) => patched(id),
    deprecatePatch: (id) => deprecatePatch(id),
    continueAsNew: (next) => execution.continueWith({ input: next }),
    loop: (initial, body) => runLoop(execution, initial, body, input),
    attributes: (values) => upsertMemo({ ...values }),
    now: () => Date.now(),
    random,
    uuid,
    log: (level, message) => log[level](message),
  }
}

function createInfo(started: StartedWith, runId: string, workflow: string): WorkflowContext['info'] {
  const { version, attempt, part = 0 } = started
  return {
    ...{ runId, workflow, version, attempt, part },
    get historyEvents() {
      return workflowInfo().historyLength
    },
    get historyBytes() {
      return workflowInfo().historySize
    },
    get continueSuggested() {
      return workflowInfo().continueAsNewSuggested
    },
  }
}

type MessageCalls = Pick<WorkflowContext<AnySteps>, 'onSignal' | 'onQuery' | 'onUpdate'>

function createMessages(execution: Execution): MessageCalls {
  let carried = execution.started.carried ?? []
  return {
    onSignal: (name, handler) => {
      const early = carried.filter(({ signal }) => signal === name)
      carried = carried.filter(({ signal }) => signal !== name)
      for (const { payload } of early) void handler(payload)
      setHandler(defineSignal<[Json]>(name), handler)
    },
    onQuery: (name, handler) => setHandler(defineQuery<unknown, [Json]>(name), handler),
    onUpdate: (name, handler, validator) => {
      const handle = async (payload: Json) => {
        execution.updatesUnderWay += 1
        try {
          return (await handler(payload)) ?? null
        } catch (error) {
          throw failureOf(error)
        } finally {
          execution.updatesUnderWay -= 1
        }
      }
      const options = validator === undefined ? {} : { validator }
      setHandler(defineUpdate<unknown, [Json]>(name), handle, options)
    },
  }
}

export async function waitFor(predicate: () => boolean, timeoutMs: number | undefined): Promise<boolean> {
  if (predicate()) return true
  if (timeoutMs !== undefined) return condition(predicate, Math.max(1, timerMs(timeoutMs, Date.now())))
  await condition(predicate)
  return true
}

function createSteps(execution: Execution): WorkflowContext<AnySteps>['step'] {
  const { bundle, started } = execution
  const { maxRetries = 3 } = started
  const target: { [name: string]: StepCall } = {}
  return new Proxy(target, {
    get: (_target, name) => {
      if (typeof name !== 'string') return undefined
      const call: StepCall = (input, given) => {
        const activityId = execution.nextKey(name, given?.key)
        const options = resolveStepOptions(
          { step: name, fromCall: given, fromDefinition: bundle.definition.stepDefaults?.[name], maxRetries },
          // What is replayed here was let through by the engine that recorded it.
          () => {},
        )
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
  const { startToCloseMs, scheduleToCloseMs, heartbeatMs, priority } = options
  const { maxAttempts, initialMs, factor, maxMs, nonRetryable } = options
  return {
    activityId,
    startToCloseTimeout: startToCloseMs,
    ...(scheduleToCloseMs === undefined ? {} : { scheduleToCloseTimeout: scheduleToCloseMs }),
    ...(heartbeatMs === undefined ? {} : { heartbeatTimeout: heartbeatMs }),
    ...(priority === undefined ? {} : { priority: { priorityKey: priority } }),
    retry: {
      maximumAttempts: maxAttempts,
      initialInterval: initialMs,
      backoffCoefficient: factor,
      maximumInterval: Math.max(maxMs, initialMs),
      nonRetryableErrorTypes: [...nonRetryable],
    },
  }
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
    case 'ChildFailure':
    case 'WaitpointExpired':
    case 'ScopeTimedOut':
    case 'CompensationFailure':
      return ApplicationFailure.nonRetryable(error.message, code)
    default:
      return error
  }
}
