import type { Json } from '@kyros/contract/json'
import type { WorkflowContext } from '@kyros/workflows/define'
import {
  ApplicationFailure,
  CancelledFailure,
  continueAsNew,
  deprecatePatch,
  patched,
  proxySinks,
  type Sinks,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { handlerFault, nameFault } from '../embedded/asked-options.ts'
import { checkAttributes } from '../embedded/asked-values.ts'
import { HistorySize } from '../embedded/history-size.ts'
import { toJson } from '../embedded/json-value.ts'
import { createReplayRandom } from '../embedded/replay-random.ts'
import { attributesName, type TimerName } from '../embedded/workflow-command.ts'
import { runLoop, runSaga, runScope } from '../embedded/workflow-structure.ts'
import { sleep as sleepUntil, waitFor } from '../embedded/workflow-timers.ts'
import { AdapterControl, note } from './adapter-control.ts'
import { type DefinitionBundle, guard } from './adapter-errors.ts'
import { AdapterHost, type Next } from './adapter-host.ts'
import { InlineSteps } from './adapter-inline.ts'
import { AdapterMessages } from './adapter-messages.ts'
import { toResult } from './adapter-payload.ts'
import { AdapterPrefix } from './adapter-prefix.ts'
import { createScope, inScope } from './adapter-scopes.ts'
import { showAttributes } from './adapter-search.ts'
import { createSteps } from './adapter-steps.ts'
import { createWaits } from './adapter-waits.ts'
import { failureConverter } from './failure-converter.ts'
import {
  type BundledVersions,
  cancelledType,
  parentEnded,
  type StartedWith,
  timerSummary,
} from './start-facts.ts'

type AnySteps = { [name: string]: (input: never) => Promise<Json> }

/** Lines of definitions go to the log of their run. */
export interface RunLogSinks extends Sinks {
  kyros: {
    log(level: 'info' | 'warn' | 'error', message: string, timeMs: number): void
    /** The part of the run ends with this turn. */
    ended(): void
  }
}

/** One execution of a definition: what its context shares. */
export type Execution = {
  readonly bundle: DefinitionBundle
  /** The workflows that can be started as children. */
  readonly versions: BundledVersions
  readonly started: StartedWith
  readonly messages: AdapterMessages
  readonly control: AdapterControl | undefined
  readonly inline: InlineSteps
  /** Of a fork: what it took over. */
  readonly prefix: AdapterPrefix | undefined
  /** What the definition waits for. */
  readonly host: AdapterHost
}

/** A definition as a Temporal workflow function: each call of its context is the command that Temporal has for it. */
export function toTemporal(bundle: DefinitionBundle, versions: BundledVersions = {}, name = '') {
  return async (input: Json, started: StartedWith): Promise<unknown> => {
    if (started.live?.isOpen === true) failureConverter.options.encodeCommonAttributes = false
    const execution = createExecution(bundle, versions, { input, started })
    const { host, prefix } = execution
    void prefix?.play(host)
    const context = createContext(execution)
    host.start(() => bundle.definition.run(context, input))
    const ended = await host.ended.catch((error: unknown) => {
      noteInline(execution)
      throw endOf(error, execution)
    })
    noteInline(execution)
    // What is null on the wire is null here too, as on the embedded engine.
    if ('result' in ended) return toResult(ended.result)
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

/** On a cluster large values lie beside the history: without this a loop would never go on in a new part. */
class AdapterSize extends HistorySize {
  readonly #isLive: boolean

  constructor(isLive: boolean) {
    super()
    this.#isLive = isLive
  }

  override get continueSuggested(): boolean {
    return workflowInfo().continueAsNewSuggested || (this.#isLive && super.continueSuggested)
  }
}

function createExecution(
  bundle: DefinitionBundle,
  versions: BundledVersions,
  { input, started }: { input: Json; started: StartedWith },
): Execution {
  const { part = 0, live, loop } = started
  const size = new AdapterSize(live !== undefined)
  const messages = new AdapterMessages(started.carried ?? [], size)
  const prefix = started.prefix === undefined ? undefined : new AdapterPrefix(started.prefix, messages)
  const inline = new InlineSteps(started)
  const fail = (error: Error) => host.fail(error)
  const control = live === undefined ? undefined : new AdapterControl(live, bundle.definition.budget, fail)
  const host: AdapterHost = new AdapterHost({
    ...{ bundle, input, part, size, messages, prefix, loop },
    beginTimer: (name, command, durationMs) =>
      guard(bundle, () => runTimer({ prefix, control, inline }, { name, command, durationMs })),
    onConditions: (count) => {
      if (live !== undefined) note({ kind: 'conditions', count })
    },
  })
  return { bundle, versions, started, messages, control, inline, prefix, host }
}

type AskedTimer = { name: TimerName; command: number; durationMs: number }

/** A timer of the definition: what falls due while the run is paused waits until it is resumed. */
async function runTimer(
  { prefix, control, inline }: Pick<Execution, 'prefix' | 'control' | 'inline'>,
  { name, command, durationMs }: AskedTimer,
): Promise<Json> {
  const fireAtMs = prefix?.fireAtMs(command)
  const leftMs = fireAtMs === undefined ? durationMs : fireAtMs - Date.now()
  await sleep(Math.max(1, leftMs), { summary: timerSummary(name, command) })
  inline.renew()
  await control?.resumed()
  return null
}

function createContext(execution: Execution): WorkflowContext<AnySteps> {
  const { started, host } = execution
  const { workflowId: runId, workflowType } = workflowInfo()
  const { part = 0, seed = runId } = started
  const { random, uuid } = createReplayRandom(part === 0 ? seed : `${seed}/${part}`)
  const { kyros } = proxySinks<RunLogSinks>()
  return {
    info: createInfo(execution, runId, workflowType),
    step: createSteps(execution),
    sleep: (until) => sleepUntil(host, until),
    condition: (predicate, timeoutMs) => waitFor(host, predicate, timeoutMs),
    ...createWaits(execution),
    ...createHandlers(execution),
    scope: (options, body) => runScope(host, options, body),
    shield: (body) => inScope(createScope(host.enter(), 'shield'), body),
    saga: (body) => runSaga(host, body),
    ...createPatches(execution),
    continueAsNew: (next) => {
      host.enter()
      return host.continueAs({ input: toJson(next, 'The input of the next part') })
    },
    loop: (initial, body) => runLoop(host, initial, body),
    attributes: (values) => {
      host.enter()
      const attributes = checkAttributes(values)
      const command = host.begin('attributes', attributesName)
      if (command !== 0 && execution.prefix?.isKnown(command) !== true)
        note({ kind: 'attributes', command, attributes })
      // Also what a fork took over: it is a run of its own to the cluster.
      if (command !== 0)
        showAttributes(started.live?.search, attributes, (line) => kyros.log('warn', line, Date.now()))
    },
    now: () => host.nowMs,
    random,
    uuid,
    log: (level, message) => kyros.log(level, String(message), Date.now()),
  }
}

type Handlers = Pick<WorkflowContext, 'onSignal' | 'onQuery' | 'onUpdate'>

/** Handlers belong to the whole run, wherever they were given. */
function createHandlers({ host, messages }: Execution): Handlers {
  const check = (kind: string, name: string, handler: unknown) => {
    host.enter()
    host.objectTo(nameFault(kind, name) ?? handlerFault(`${kind} ${name}`, handler))
  }
  return {
    onSignal: (name, handler) => {
      check('signal', name, handler)
      messages.onSignal(name, (payload) => {
        const fail = (error: unknown) => host.fail(error)
        try {
          const handling = inScope(undefined, () => handler(payload))
          if (handling !== undefined) Promise.resolve(handling).catch(fail)
        } catch (error) {
          fail(error)
        }
      })
    },
    onQuery: (name, handler) => {
      check('query', name, handler)
      messages.onQuery(name, handler)
    },
    onUpdate: (name, handler, validate) => {
      check('update', name, handler)
      if (validate !== undefined) host.objectTo(handlerFault('an update', validate))
      const handle = (payload: Json) => inScope(undefined, () => handler(payload))
      messages.onUpdate(name, handle, validate, failureOf)
    },
  }
}

/** Which way a patch goes is decided once for each, as on the embedded engine. */
function createPatches({ host, prefix }: Execution): Pick<WorkflowContext, 'patch' | 'deprecatePatch'> {
  const decided = new Map<string, boolean>()
  return {
    patch: (id) => {
      host.enter()
      host.objectTo(nameFault('patch', id))
      const known = decided.get(id)
      if (known !== undefined) return known
      const taken = prefix?.patch(id, host.issued + 1)
      const isNew = taken?.isNew ?? patched(id)
      if (taken?.marked ?? isNew) host.begin('value', `patch:${id}`)
      decided.set(id, isNew)
      return isNew
    },
    deprecatePatch: (id) => {
      host.enter()
      const taken = prefix?.patch(id, host.issued + 1)
      if (taken === undefined) deprecatePatch(id)
      else if (taken.marked) host.begin('value', `patch:${id}`)
    },
  }
}

function createInfo({ started, host }: Execution, runId: string, workflow: string): WorkflowContext['info'] {
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
      return host.size.continueSuggested
    },
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
