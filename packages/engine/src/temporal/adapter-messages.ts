import type { CarriedSignal } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow'
import { toJson } from '../embedded/json-value.ts'
import type { MessageMeta } from './start-facts.ts'

type SignalHandler = (payload: Json) => void | Promise<void>

/** Signals, queries and updates of one run on a cluster. */
export class AdapterMessages {
  #unhandled: CarriedSignal[]
  #isLooking = false
  updatesUnderWay = 0

  constructor(carried: readonly CarriedSignal[]) {
    this.#unhandled = [...carried]
    setDefaultSignalHandler((signal, payload) => {
      // Border cast: what is sent is JSON, and its second argument says who sent it.
      this.#unhandled.push({ signal, payload: (payload ?? null) as Json })
    })
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
    const early = this.#unhandled.filter(({ signal }) => signal === name)
    this.#unhandled = this.#unhandled.filter(({ signal }) => signal !== name)
    setHandler(defineSignal<[Json, MessageMeta?]>(name), (payload) => handler(payload))
    for (const { payload } of early) void handler(payload)
  }

  onQuery(name: string, handler: (payload: Json) => unknown): void {
    this.mustNotLook()
    setHandler(defineQuery<Json, [Json]>(name), (payload) => {
      const answer = this.#look(() => handler(payload))
      if (answer instanceof Promise) {
        answer.catch(() => {})
        throw new Error('It answers with a promise, and must answer at once.')
      }
      return toJson(answer, `The answer of query ${name}`)
    })
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
        return toJson(await handler(payload), `The result of update ${name}`)
      } catch (error) {
        throw failureOf(error)
      } finally {
        this.updatesUnderWay -= 1
      }
    }
    const validator = (payload: Json, _meta?: MessageMeta) => {
      try {
        this.#look(() => validate?.(payload))
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        throw ApplicationFailure.create({ message, type: 'update_rejected', nonRetryable: true })
      }
    }
    const update = defineUpdate<Json, [Json, MessageMeta?]>(name)
    setHandler(update, handle, { validator })
  }

  #look<T>(look: () => T): T {
    this.#isLooking = true
    try {
      return look()
    } finally {
      this.#isLooking = false
    }
  }
}
