import type { Json } from '@kyros/contract/json'
import type { WorkflowContext } from '@kyros/workflows/define'
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  deprecatePatch,
  patched,
  proxySinks,
  type Sinks,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { checkAttributes, timerMs } from '../embedded/asked-values.ts'
import { HistorySize } from '../embedded/history-size.ts'
import { createReplayRandom } from '../embedded/replay-random.ts'
import { AdapterControl, note } from './adapter-control.ts'
import { type DefinitionBundle, guard } from './adapter-errors.ts'
import { InlineSteps } from './adapter-inline.ts'
import { AdapterMessages } from './adapter-messages.ts'
import { toPayload, toResult } from './adapter-payload.ts'
import { AdapterPrefix } from './adapter-prefix.ts'
import { showAttributes } from './adapter-search.ts'
import { createSteps } from './adapter-steps.ts'
import { runLoop, runSaga, runScope } from './adapter-structure.ts'
import { createWaits } from './adapter-waits.ts'
import {
  type BundledVersions,
  cancelledType,
  parentEnded,
  type StartedWith,
  type TimerName,
  timerSummary,
} from './start-facts.ts'

type AnySteps = { [name: string]: (input: never) => Promise<Json> }
type Next = { input: Json; loop?: { state: Json } }

/** Lines of definitions go to the log of their run. */
export interface RunLogSinks extends Sinks {
  kyros: { log(level: 'info' | 'warn' | 'error', message: string, timeMs: number): void }
}

/** One execution of a definition: what its context shares. */
export type Execution = {
  readonly bundle: DefinitionBundle
  /** The workflows that can be started as children. */
  readonly versions: BundledVersions
  readonly started: StartedWith
  readonly input: Json
  readonly messages: AdapterMessages
  readonly control: AdapterControl | undefined
  readonly inline: InlineSteps
  /** How large its history would be on the embedded engine, which suggests new parts by the same rule. */
  readonly size: HistorySize
  /** Of a fork: what it took over. */
  readonly prefix: AdapterPrefix | undefined
  /** Set once the definition continues as new; nothing after it counts. */
  continueWith(next: Next): Promise<never>
  takeLoopState(): { state: Json } | undefined
  /** The next key of a step or child, as the embedded engine gives it. */
  nextKey(name: string, given: string | undefined): string
  /** The number of the next command, as the embedded engine counts them. */
  nextCommand(): number
  /** That number, which nobody has yet. */
  readonly upcoming: number
  /** @throws in a query or validator, which must not change anything */
  enter(): void
  /** A fault in what the definition asks for is a bug of it, and blocks the run. */
  objectTo(fault: Error | undefined): void
  /** A wait for a condition begins (1) or is over (-1). */
  waiting(change: 1 | -1): void
}

/** A definition as a Temporal workflow function: each call of its context is the command that Temporal has for it. */
export function toTemporal(bundle: DefinitionBundle, versions: BundledVersions = {}, name = '') {
  return async (input: Json, started: StartedWith): Promise<unknown> => {
    const continuing = Promise.withResolvers<Next>()
    const failing = Promise.withResolvers<never>()
    const execution = createExecution(
      bundle,
      versions,
      { input, started },
      continuing.resolve,
      failing.reject,
    )
    void execution.prefix?.play()
    const running = bundle.definition
      .run(createContext(execution), input)
      // What is null on the wire is null here too, as on the embedded engine.
      .then((result) => ({ result: toResult(result) }))
    const ended = await Promise.race([running, continuing.promise, failing.promise]).catch(
      (error: unknown) => {
        noteInline(execution)
        throw endOf(error, execution)
      },
    )
    noteInline(execution)
    if ('result' in ended) return ended.result
    return continueAsNew<(input: Json, started: StartedWith) => Promise<unknown>>(
      ended.input,
      nextPart(execution, ended, versions[name]),
    )
  }
}

/** Of a local activity that nobody waits for any more the history would say nothing. */
function noteInline({ inline: { running }, started }: Execution): void {
  if (running !== undefined && started.live !== undefined) note({ kind: 'inline', ...running })
}

function nextPart(
  { started, messages, control }: Execution,
  { loop }: Next,
  own: BundledVersions[string] | undefined,
): StartedWith {
  const { part = 0, carried: _1, loop: _2, prefix: _3, moved: _4, live, ...rest } = started
  return {
    ...rest,
    part: part + 1,
    carried: messages.unhandled,
    ...(loop === undefined ? {} : { loop }),
    ...(live === undefined
      ? {}
      : { live: { ...live, ...control?.carried, ...(own && { definition: own.hash }) } }),
    ...(own && { version: own.version }),
  }
}

function createExecution(
  bundle: DefinitionBundle,
  versions: BundledVersions,
  { input, started }: { input: Json; started: StartedWith },
  onContinue: (next: Next) => void,
  fail: (error: Error) => void,
): Execution {
  const uses = new Map<string, number>()
  const { part = 0, live } = started
  let { loop } = started
  let commands = 0
  let conditions = 0
  const size = new HistorySize()
  const messages = new AdapterMessages(started.carried ?? [], size)
  const prefix = started.prefix === undefined ? undefined : new AdapterPrefix(started.prefix, messages)
  return {
    ...{ bundle, versions, started, input, messages, prefix, size },
    inline: new InlineSteps(started),
    control: live === undefined ? undefined : new AdapterControl(live, bundle.definition.budget, fail),
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
      if (given !== undefined && count > 1) throw new Error(`The key ${given} is used twice.`)
      const key = count === 1 ? own : `${own}#${count}`
      return part === 0 ? key : `${key}~${part}`
    },
    nextCommand: () => {
      if (prefix?.isStopped === true) commands = Math.max(commands, prefix.last)
      commands += 1
      return commands
    },
    get upcoming() {
      return commands + 1
    },
    enter: () => messages.mustNotLook(),
    objectTo: (fault) => {
      if (fault !== undefined) throw fault
    },
    waiting: (change) => {
      conditions += change
      if (live !== undefined) note({ kind: 'conditions', count: conditions })
    },
  }
}

function createContext(execution: Execution): WorkflowContext<AnySteps> {
  const { bundle, started, input, messages } = execution
  const { workflowId: runId, workflowType } = workflowInfo()
  const { part = 0, seed = runId } = started
  const { random, uuid } = createReplayRandom(part === 0 ? seed : `${seed}/${part}`)
  const { kyros } = proxySinks<RunLogSinks>()
  return {
    info: createInfo(execution, runId, workflowType),
    step: createSteps(execution),
    sleep: (until) => {
      execution.enter()
      return guard(bundle, () => startTimer(execution, 'sleep', timerMs(until, Date.now())))
    },
    condition: (predicate, timeoutMs) => guard(bundle, () => waitFor(execution, predicate, timeoutMs)),
    ...createWaits(execution),
    onSignal: (name, handler) => messages.onSignal(name, handler),
    onQuery: (name, handler) => messages.onQuery(name, handler),
    onUpdate: (name, handler, validator) => messages.onUpdate(name, handler, validator, failureOf),
    scope: (options, body) => runScope(execution, options, body),
    shield: (body) => CancellationScope.nonCancellable(body),
    saga: (body) => runSaga(execution, body),
    patch: (id) => {
      const taken = execution.prefix?.patch(id, execution.upcoming)
      const isNew = taken?.isNew ?? patched(id)
      if (taken?.marked ?? isNew) execution.nextCommand()
      return isNew
    },
    deprecatePatch: (id) => {
      const taken = execution.prefix?.patch(id, execution.upcoming)
      if (taken === undefined) deprecatePatch(id)
      else if (taken.marked) execution.nextCommand()
    },
    continueAsNew: (next) => {
      execution.enter()
      return execution.continueWith({ input: toPayload(next, 'The input of the next part') })
    },
    loop: (initial, body) => runLoop(execution, initial, body, input),
    attributes: (values) => {
      execution.enter()
      const attributes = checkAttributes(values)
      const command = execution.nextCommand()
      const taken = execution.prefix?.taken('attributes', 'attributes', command)
      if (taken === undefined) note({ kind: 'attributes', command, attributes })
      // Also what a fork took over: it is a run of its own to the cluster.
      showAttributes(started.live?.search, attributes, (line) => kyros.log('warn', line, Date.now()))
    },
    now: () => execution.prefix?.nowMs ?? Date.now(),
    random,
    uuid,
    log: (level, message) => kyros.log(level, String(message), Date.now()),
  }
}

/** On a cluster large values lie beside the history: without this a loop would never go on in a new part. */
export function isContinueSuggested({ started, size }: Execution): boolean {
  return workflowInfo().continueAsNewSuggested || (started.live !== undefined && size.continueSuggested)
}

function createInfo(execution: Execution, runId: string, workflow: string): WorkflowContext['info'] {
  const { version, attempt, part = 0 } = execution.started
  return {
    ...{ runId, workflow, version, attempt, part },
    get historyEvents() {
      return workflowInfo().historyLength
    },
    get historyBytes() {
      return workflowInfo().historySize
    },
    get continueSuggested() {
      return isContinueSuggested(execution)
    },
  }
}

/** A timer of the definition: what falls due while the run is paused waits until it is resumed. */
export async function startTimer(execution: Execution, name: TimerName, durationMs: number): Promise<void> {
  const command = execution.nextCommand()
  const taken = execution.prefix?.taken('timer', name, command)
  if (taken?.ended === true) {
    await execution.prefix?.endOf(command)
    return
  }
  // One that was under way when the fork was made fires when it would have.
  const leftMs = taken?.fireAtMs === undefined ? durationMs : taken.fireAtMs - Date.now()
  execution.size.addCommand('timer', null)
  await sleep(Math.max(1, leftMs), { summary: timerSummary(name, command) })
  execution.inline.renew()
  execution.size.addFact(null)
  await execution.control?.resumed()
}

/** `context.condition`. */
export async function waitFor(
  execution: Execution,
  predicate: () => boolean,
  timeoutMs: number | undefined,
): Promise<boolean> {
  execution.enter()
  if (predicate()) return true
  const holds = execution.prefix?.watched(predicate) ?? predicate
  // The embedded engine looks for a cancellation here: its commands have this order.
  await undefined
  if (timeoutMs === undefined) {
    execution.waiting(1)
    try {
      await condition(holds)
      return true
    } finally {
      execution.waiting(-1)
    }
  }
  const timing = new CancellationScope()
  const due = timing
    .run(() => startTimer(execution, 'condition', timerMs(timeoutMs, Date.now())))
    .then(() => false)
  try {
    return await Promise.race([condition(holds).then(() => true), due])
  } finally {
    timing.cancel()
    due.catch(() => {})
  }
}

/** A child that was cancelled says why: of a plain cancellation its parent would hear nothing. */
function endOf(error: unknown, { started, control }: Execution): unknown {
  const failure = failureOf(error)
  if (!(failure instanceof CancelledFailure) || (started.live?.depth ?? 0) === 0) return failure
  const message = control?.cancelReason ?? parentEnded
  return ApplicationFailure.create({ message, type: cancelledType, nonRetryable: true })
}

const reasons: { readonly [name: string]: string } = {
  StepFailure: 'step_failed',
  ChildFailure: 'child_failed',
}

/** By name: the error comes from the bundle. Anything unknown is a bug and fails the workflow task, not the workflow. */
export function failureOf(error: unknown): unknown {
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
    case 'CompensationFailure': {
      const details = [{ reason: reasons[error.name] ?? 'workflow_failed' }]
      return ApplicationFailure.create({ message: error.message, type: code, nonRetryable: true, details })
    }
    default:
      return error
  }
}
