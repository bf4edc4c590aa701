import type { Json } from '@kyros/contract/json'
import type { StepOptions, WorkflowDefinition } from '@kyros/workflows/define'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { toJson } from './json-value.ts'
import { type ResolvedStepOptions, resolveStepOptions } from './retry-policy.ts'
import type { WorkflowHost } from './workflow-host.ts'

type StepCall = (input: unknown, options?: StepOptions) => Promise<Json>
export type AnyStepCalls = { readonly [name: string]: StepCall }

/** One step of one definition: what is the same in every run. */
class KnownStep {
  readonly name: string
  readonly defaults: StepOptions | undefined
  #maxRetries = -1
  #options: ResolvedStepOptions | undefined

  constructor(name: string, defaults: StepOptions | undefined) {
    this.name = name
    this.defaults = defaults
  }

  options(host: WorkflowHost, given: StepOptions | undefined): ResolvedStepOptions {
    const { maxRetries } = host.run
    if (given !== undefined) return this.#resolve(host, given)
    // Runs of one definition nearly always have the same limit of retries.
    if (this.#options === undefined || this.#maxRetries !== maxRetries) {
      this.#options = this.#resolve(host, undefined)
      this.#maxRetries = maxRetries
    }
    return this.#options
  }

  #resolve(host: WorkflowHost, fromCall: StepOptions | undefined): ResolvedStepOptions {
    const { name: step, defaults: fromDefinition } = this
    const { maxRetries } = host.run
    return resolveStepOptions({ step, fromCall, fromDefinition, maxRetries }, (fault) => host.objectTo(fault))
  }
}

const hostKey = Symbol('host')
type Bound = { readonly [hostKey]: WorkflowHost }

/** The prototype of `context.step` in all runs of one definition: it learns each step's name at its first use. */
function createTable(definition: WorkflowDefinition): object {
  const unknown = new Proxy(
    {},
    {
      get: (_target, name, receiver) => {
        if (typeof name !== 'string' || name === 'then') return undefined
        learn(table, new KnownStep(name, definition.stepDefaults?.[name]))
        return Reflect.get(receiver, name)
      },
    },
  )
  const table: object = Object.create(unknown)
  return table
}

function learn(table: object, step: KnownStep): void {
  Object.defineProperty(table, step.name, {
    get(this: Bound): StepCall {
      const host = this[hostKey]
      return (input, options) => callStep(host, step, input, options)
    },
  })
}

function callStep(
  host: WorkflowHost,
  step: KnownStep,
  input: unknown,
  given: StepOptions | undefined,
): Promise<Json> {
  const scope = host.enter()
  const cancelled = host.cancelledIn(scope)
  if (cancelled !== undefined) return cancelled
  const options = step.options(host, given)
  const payload = toJson(input, `The input of step ${step.name}`)
  const key = host.nextKey('step', step.name, given?.key)
  const command = host.begin('step', step.name, payload)
  if (command !== 0) host.ask({ kind: 'step', command, step: step.name, key, input: payload, options })
  return host.wait(command, 'step', step.name, scope)
}

const tables = new WeakMap<LoadedDefinition, object>()

/** The steps of a definition as functions that ask `host` for them. */
export function createStepCalls(host: WorkflowHost): AnyStepCalls {
  let table = tables.get(host.loaded)
  if (table === undefined) {
    table = createTable(host.loaded.definition)
    tables.set(host.loaded, table)
  }
  const calls: { [hostKey]?: WorkflowHost } & AnyStepCalls = Object.create(table)
  calls[hostKey] = host
  return calls
}
