import type { CarriedSignal, ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { messageOf } from '../error-text.ts'
import { toJson } from './json-value.ts'
import { failureIn } from './outcome-of.ts'
import type { UpdateEnd } from './workflow-command.ts'
import type { WorkflowHost } from './workflow-host.ts'
import { createScope, inScope } from './workflow-scope.ts'

type SignalHandler = (payload: Json) => void | Promise<void>
type QueryHandler = (payload: Json) => unknown
type UpdateHandler = {
  handle: (payload: Json) => unknown
  validate: ((payload: Json) => void) | undefined
}

/** The answer to a query; a failed one has changed nothing. */
export type QueryAnswer = { ok: true; result: Json } | { ok: false; error: ErrorData }

const maxUpdatesUnderWay = 10

/** Signals, queries and updates of one run: who handles them, and what waits for a handler. */
export class Messages {
  readonly #host: WorkflowHost
  readonly signals = new Map<string, SignalHandler>()
  readonly #queries = new Map<string, QueryHandler>()
  readonly #updates = new Map<string, UpdateHandler>()
  /** Accepted and not yet answered, by id. */
  readonly #underWay = new Map<string, string>()
  #unhandled: CarriedSignal[] = []

  constructor(host: WorkflowHost) {
    this.#host = host
  }

  get handlesSignals(): boolean {
    return this.signals.size > 0 || this.#updates.size > 0
  }

  get updatesUnderWay(): number {
    return this.#underWay.size
  }

  /** Signals that nobody has handled, in the order they came. */
  get unhandled(): CarriedSignal[] {
    return this.#unhandled
  }

  carryOver(signals: readonly CarriedSignal[]): void {
    this.#unhandled.push(...signals)
  }

  onSignal(name: string, handler: SignalHandler): void {
    this.signals.set(name, handler)
    const early = this.#unhandled.filter(({ signal }) => signal === name)
    if (early.length === 0) return
    this.#unhandled = this.#unhandled.filter(({ signal }) => signal !== name)
    for (const { payload } of early) this.#handleSignal(handler, payload)
  }

  onQuery(name: string, handler: QueryHandler): void {
    this.#queries.set(name, handler)
  }

  onUpdate(name: string, handle: UpdateHandler['handle'], validate: UpdateHandler['validate']): void {
    this.#updates.set(name, { handle, validate })
  }

  signal(signal: string, payload: Json): void {
    const handler = this.signals.get(signal)
    if (handler === undefined) this.#unhandled.push({ signal, payload })
    else this.#handleSignal(handler, payload)
  }

  #handleSignal(handler: SignalHandler, payload: Json): void {
    const fail = (error: unknown) => this.#host.fail(error)
    try {
      const handling = inScope(this.#host.root, () => handler(payload))
      if (handling !== undefined) Promise.resolve(handling).catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  query(name: string, payload: Json): QueryAnswer {
    const handler = this.#queries.get(name)
    if (handler === undefined) {
      const known = [...this.#queries.keys()].join(', ') || 'none'
      return refused('query_unknown', `The definition answers no query ${name}. It answers: ${known}.`)
    }
    try {
      const result = this.#readOnly(() => handler(payload))
      return { ok: true, result: toJson(result, `The answer of query ${name}`) }
    } catch (error) {
      return refused('query_failed', messageOf(error))
    }
  }

  /** Whether an update may be recorded; undefined when it may. Asking leaves no trace. */
  refusal(name: string, payload: Json): ErrorData | undefined {
    const update = this.#updates.get(name)
    if (update === undefined) {
      const known = [...this.#updates.keys()].join(', ') || 'none'
      return {
        code: 'update_unknown',
        message: `The definition takes no update ${name} now. It takes: ${known}.`,
      }
    }
    if (this.#underWay.size >= maxUpdatesUnderWay) {
      const message = `${maxUpdatesUnderWay} updates of this run are under way. Try again when one has ended.`
      return { code: 'update_rejected', message }
    }
    try {
      this.#readOnly(() => update.validate?.(payload))
      return undefined
    } catch (error) {
      return { code: 'update_rejected', message: messageOf(error) }
    }
  }

  /** Runs the handler of an update that was recorded; false when the definition has none, which it had then. */
  accept(name: string, updateId: string, payload: Json): boolean {
    const update = this.#updates.get(name)
    if (update === undefined) return false
    this.#underWay.set(updateId, name)
    const handling = inScope(this.#host.root, async () => update.handle(payload))
    handling.then(
      (result) => this.#answer(updateId, () => toJson(result, `The result of update ${name}`)),
      (error: unknown) =>
        this.#answer(updateId, () => {
          throw error
        }),
    )
    return true
  }

  #answer(updateId: string, decide: () => Json): void {
    if (!this.#underWay.has(updateId)) return
    try {
      this.#end(updateId, { kind: 'completed', result: decide() })
    } catch (error) {
      const failure = failureIn(error)
      if (failure === undefined) this.#host.fail(error)
      else this.#end(updateId, { kind: 'failed', error: failure })
    }
  }

  #end(updateId: string, end: UpdateEnd): void {
    const update = this.#underWay.get(updateId) ?? ''
    this.#underWay.delete(updateId)
    this.#host.ask({ kind: 'update_result', update, updateId, end })
  }

  /** The run ended, or its part did: what was not answered never will be. */
  endAll(message: string): void {
    for (const updateId of this.#underWay.keys()) {
      this.#end(updateId, { kind: 'failed', error: { code: 'run_ended', message } })
    }
  }

  /** Runs code that must only look, and must have answered when it returns. @throws what it does against that */
  #readOnly(look: () => unknown): unknown {
    const host = this.#host
    host.violation = undefined
    host.isReadOnly = true
    try {
      const result = inScope(createScope(host, undefined, 'read_only'), look)
      const isPromise = result instanceof Promise
      if (isPromise) result.catch(() => {})
      if (host.violation !== undefined) throw host.violation
      if (!isPromise) return result
      throw new Error('It answers with a promise, and must answer at once.')
    } finally {
      host.isReadOnly = false
    }
  }
}

function refused(code: string, message: string): QueryAnswer {
  return { ok: false, error: { code, message } }
}
