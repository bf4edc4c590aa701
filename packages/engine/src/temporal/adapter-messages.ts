import type { CarriedSignal } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  defineUpdate,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow'
import type { HistorySize } from '../embedded/history-size.ts'
import { toJson } from '../embedded/json-value.ts'
import type { QueryAnswer } from '../embedded/workflow-messages.ts'
import { messageOf } from '../error-text.ts'
import { isTooLarge, toPayload } from './adapter-payload.ts'
import { type MessageMeta, waitsQuery } from './start-facts.ts'

type SignalHandler = (payload: Json) => void | Promise<void>

/** Signals, queries and updates of one run on a cluster. */
export class AdapterMessages {
  #unhandled: CarriedSignal[]
  #isLooking = false
  readonly #size: HistorySize
  readonly #names = new Set<string>()
  readonly #queries = new Set<string>()
  /** While what a fork took over is played: who handles signals then, and those that have to wait. */
  #held: { handlers: Map<string, SignalHandler>; signals: CarriedSignal[] } | undefined
  updatesUnderWay = 0

  constructor(carried: readonly CarriedSignal[], size: HistorySize) {
    this.#size = size
    this.#unhandled = [...carried]
    setHandler(defineQuery<{ signals: string[] }>(waitsQuery), () => ({ signals: [...this.#names] }))
    setDefaultQueryHandler((name): QueryAnswer => {
      const known = [...this.#queries].join(', ') || 'none'
      return refused('query_unknown', `The definition answers no query ${name}. It answers: ${known}.`)
    })
    setDefaultSignalHandler((signal, payload) => {
      // Border cast: what is sent is JSON, and its second argument says who sent it.
      const received = { signal, payload: (payload ?? null) as Json }
      if (this.#held === undefined) this.#unhandled.push(received)
      else this.#held.signals.push(received)
    })
  }

  /** Signals that come are kept until `release`; before it only those of `deliver` are heard. */
  hold(): void {
    this.#held = { handlers: new Map(), signals: [] }
  }

  deliver(received: CarriedSignal): void {
    const handler = this.#held?.handlers.get(received.signal)
    if (handler === undefined) this.#unhandled.push(received)
    else void handler(received.payload)
  }

  release(): void {
    const { handlers = new Map<string, SignalHandler>(), signals = [] } = this.#held ?? {}
    for (const received of signals) this.deliver(received)
    this.#held = undefined
    for (const [name, handler] of handlers) this.#listen(name, handler)
  }

  /** Signals that nobody has handled, in the order they came. */
  get unhandled(): CarriedSignal[] {
    return this.#unhandled
  }

  /** @throws while a query or a validator is at work, which may change nothing */
  mustNotLook(): void {
    if (!this.#isLooking) return
    const error = new Error('It asks for something that would change the run, and must only look.')
    error.name = 'ReadOnlyViolation'
    throw error
  }

  onSignal(name: string, handler: SignalHandler): void {
    this.mustNotLook()
    this.#names.add(name)
    const early = this.#unhandled.filter(({ signal }) => signal === name)
    this.#unhandled = this.#unhandled.filter(({ signal }) => signal !== name)
    if (this.#held === undefined) this.#listen(name, handler)
    else this.#held.handlers.set(name, handler)
    for (const { payload } of early) void handler(payload)
  }

  #listen(name: string, handler: SignalHandler): void {
    setHandler(defineSignal<[Json, MessageMeta?]>(name), (payload) => {
      this.#size.addFact(payload)
      return handler(payload)
    })
  }

  onQuery(name: string, handler: (payload: Json) => unknown): void {
    this.mustNotLook()
    this.#queries.add(name)
    setHandler(defineQuery<QueryAnswer, [Json]>(name), (payload) => {
      try {
        return { ok: true, result: this.#answer(name, () => handler(payload)) }
      } catch (error) {
        return refused('query_failed', messageOf(error))
      }
    })
  }

  #answer(name: string, ask: () => unknown): Json {
    const answer = this.look(ask)
    if (answer instanceof Promise) {
      answer.catch(() => {})
      throw new Error('It answers with a promise, and must answer at once.')
    }
    return toJson(answer, `The answer of query ${name}`)
  }

  onUpdate(
    name: string,
    handler: (payload: Json) => unknown,
    validate: ((payload: Json) => void) | undefined,
    failureOf: (error: unknown) => unknown,
  ): void {
    this.mustNotLook()
    const handle = async (payload: Json, _meta?: MessageMeta) => {
      this.updatesUnderWay += 1
      try {
        return toPayload(await handler(payload), `The result of update ${name}`)
      } catch (error) {
        if (!isTooLarge(error)) throw failureOf(error)
        // As on the embedded engine the update fails, and the run goes on.
        const { message, code: type } = error
        throw ApplicationFailure.create({ message, type, nonRetryable: true })
      } finally {
        this.updatesUnderWay -= 1
      }
    }
    const validator = (payload: Json, _meta?: MessageMeta) => {
      try {
        this.look(() => validate?.(payload))
      } catch (error) {
        throw ApplicationFailure.create({
          message: messageOf(error),
          type: 'update_rejected',
          nonRetryable: true,
        })
      }
    }
    const update = defineUpdate<Json, [Json, MessageMeta?]>(name)
    setHandler(update, handle, { validator })
  }

  /** Runs code of the definition that must only look. */
  look<T>(look: () => T): T {
    this.#isLooking = true
    try {
      return look()
    } finally {
      this.#isLooking = false
    }
  }
}

/** Why a query fails is in its answer: of an error a cluster passes on nothing but the text, which no codec has seen. */
function refused(code: string, message: string): QueryAnswer {
  return { ok: false, error: { code, message } }
}
