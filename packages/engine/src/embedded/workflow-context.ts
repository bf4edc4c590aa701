import type { Attributes } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type {
  ChildOptions,
  RunInfo,
  ScopeOptions,
  Waitpoint,
  WaitpointOptions,
  WorkflowContext,
} from '@kyros/workflows/define'
import { textOf } from '../error-text.ts'
import { handlerFault, keyFault, nameFault, parentCloseFault, titleFault } from './asked-options.ts'
import { checkAttributes, childSeconds, timerMs } from './asked-values.ts'
import { toJson } from './json-value.ts'
import { knownLevel } from './log-level.ts'
import { createReplayRandom, type ReplayRandom } from './replay-random.ts'
import { attributesName } from './workflow-command.ts'
import type { WorkflowHost } from './workflow-host.ts'
import { createScope, inScope } from './workflow-scope.ts'
import { createStepCalls } from './workflow-steps.ts'
import { runLoop, runSaga, runScope } from './workflow-structure.ts'
import { sleep, waitFor } from './workflow-timers.ts'

type AnySteps = { [name: string]: (input: never) => Promise<Json> }
type Context = WorkflowContext<AnySteps>

const defaultChildTimeoutSeconds = 24 * 3600

/**
 * What workflow code sees of a host. Each method is made when it is looked at: definitions take them out of the
 * context, and most use few of them.
 */
export class HostContext implements Context {
  readonly #host: WorkflowHost
  #step: Context['step'] | undefined
  #info: RunInfo | undefined
  #random: ReplayRandom | undefined

  constructor(host: WorkflowHost) {
    this.#host = host
  }

  get step(): Context['step'] {
    this.#step ??= createStepCalls(this.#host)
    return this.#step
  }

  get info(): RunInfo {
    this.#info ??= createInfo(this.#host)
    return this.#info
  }

  get sleep(): Context['sleep'] {
    return (until) => sleep(this.#host, until)
  }

  get condition(): Context['condition'] {
    return (predicate, timeoutMs) => waitFor(this.#host, predicate, timeoutMs)
  }

  get onSignal(): Context['onSignal'] {
    return (name, handler) => {
      this.#enterHandler('signal', name, handler)
      this.#host.messages.onSignal(name, handler)
    }
  }

  get onQuery(): Context['onQuery'] {
    return (name, handler) => {
      this.#enterHandler('query', name, handler)
      this.#host.messages.onQuery(name, handler)
    }
  }

  get onUpdate(): Context['onUpdate'] {
    return (name, handler, validate) => {
      this.#enterHandler('update', name, handler)
      if (validate !== undefined) this.#host.objectTo(handlerFault('an update', validate))
      this.#host.messages.onUpdate(name, handler, validate)
    }
  }

  get waitpoint(): Context['waitpoint'] {
    return <T>(name: string, options?: WaitpointOptions) => openWaitpoint<T>(this.#host, name, options)
  }

  get child(): Context['child'] {
    return <O>(workflow: string, input: Json, options?: ChildOptions) =>
      // Border cast: the result is JSON from the log, and the definition says of what shape.
      startChild(this.#host, workflow, input, options) as Promise<O>
  }

  get scope(): Context['scope'] {
    return (options: ScopeOptions, body) => runScope(this.#host, options, body)
  }

  get shield(): Context['shield'] {
    return (body) => {
      const scope = createScope(this.#host, this.#host.enter(), 'shield')
      return this.#host.answeredAtOnce() ?? inScope(scope, body)
    }
  }

  get saga(): Context['saga'] {
    return (body) => runSaga(this.#host, body)
  }

  get patch(): Context['patch'] {
    return (id) => this.#host.patches.take(id)
  }

  get deprecatePatch(): Context['deprecatePatch'] {
    return (id) => this.#host.patches.accept(id)
  }

  get continueAsNew(): Context['continueAsNew'] {
    return (input, options) => {
      this.#host.enter()
      const next = toJson(input, 'The input of the next part')
      return this.#host.continueAs({ input: next, upgrade: options?.upgrade ?? false })
    }
  }

  get loop(): Context['loop'] {
    return (initial, body) => runLoop(this.#host, initial, body)
  }

  get attributes(): Context['attributes'] {
    return (values) => {
      this.#host.enter()
      setAttributes(this.#host, checkAttributes(values))
    }
  }

  get now(): Context['now'] {
    return () => this.#host.nowMs
  }

  get random(): Context['random'] {
    return () => this.#dice().random()
  }

  get uuid(): Context['uuid'] {
    return () => this.#dice().uuid()
  }

  get log(): Context['log'] {
    return (level, message) => this.#host.log(knownLevel(level), textOf(message))
  }

  #enterHandler(kind: string, name: string, handler: unknown): void {
    this.#host.enter()
    this.#host.objectTo(nameFault(kind, name) ?? handlerFault(`${kind} ${name}`, handler))
  }

  #dice(): ReplayRandom {
    this.#host.enter()
    const { run, part } = this.#host
    const seed = run.seed ?? run.runId
    // Each part rolls its own dice, or every part would roll the same.
    this.#random ??= createReplayRandom(part === 0 ? seed : `${seed}/${part}`)
    return this.#random
  }
}

function createInfo(host: WorkflowHost): RunInfo {
  const { runId, workflow, version, attempt } = host.run
  return {
    ...{ runId, workflow, version, attempt, part: host.part },
    get historyEvents() {
      return host.size.events
    },
    get historyBytes() {
      return host.size.bytes
    },
    get continueSuggested() {
      return host.size.continueSuggested
    },
  }
}

function openWaitpoint<T>(host: WorkflowHost, name: string, options: WaitpointOptions = {}): Waitpoint<T> {
  const scope = host.enter()
  const cancelled = host.cancelledIn(scope)
  host.objectTo(nameFault('waitpoint', name) ?? titleFault(options.title))
  const timeoutMs = options.timeoutMs === undefined ? undefined : timerMs(options.timeoutMs, host.nowMs)
  const command = cancelled === undefined ? host.begin('waitpoint', name) : 0
  if (command !== 0) host.ask({ kind: 'waitpoint', command, name, title: options.title, timeoutMs })
  const completed = cancelled ?? host.wait(command, 'waitpoint', name, scope)
  return {
    get token() {
      return host.waitpointToken(command)
    },
    get path() {
      return `/api/v1/waitpoints/${host.waitpointToken(command)}`
    },
    // Border cast: the payload is JSON from the log, and the definition says of what shape.
    completed: completed as Promise<T>,
  }
}

function startChild(
  host: WorkflowHost,
  workflow: string,
  input: Json,
  options: ChildOptions = {},
): Promise<Json> {
  const scope = host.enter()
  const cancelled = host.cancelledIn(scope)
  if (cancelled !== undefined) return cancelled
  const payload = toJson(input, `The input of child ${workflow}`)
  const { parentClose = 'request_cancel' } = options
  host.objectTo(
    nameFault('workflow', workflow) ??
      keyFault(`child ${workflow}`, options.key) ??
      parentCloseFault(parentClose),
  )
  const timeoutSeconds = childSeconds(options.timeoutSeconds ?? defaultChildTimeoutSeconds)
  const key = host.nextKey('child', workflow, options.key)
  const command = host.begin('child', workflow, payload)
  if (command !== 0) {
    host.ask({ kind: 'child', command, workflow, key, input: payload, parentClose, timeoutSeconds })
  }
  return host.wait(command, 'child', workflow, scope)
}

function setAttributes(host: WorkflowHost, attributes: Attributes): void {
  const command = host.begin('attributes', attributesName)
  if (command !== 0) host.ask({ kind: 'attributes', command, attributes })
}
