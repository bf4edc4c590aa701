import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from '../error-text.ts'
import type { TemporalHistory } from './convert-history.ts'
import { loadSdk } from './load-sdk.ts'

/** Longer than the longest history takes; what waits for something outside would wait for ever. */
const replayMs = 60_000

type Given = { history: TemporalHistory; workflowId: string }

/** One replay worker for many histories, one after the other: to begin one takes longer than a replay. */
export class ReplayWorker {
  readonly #code: string
  #line: Line | undefined

  constructor(code: string) {
    this.#code = code
  }

  /** What the core objects to; undefined when it accepts the history. */
  async replay(history: TemporalHistory, workflowId: string): Promise<string | undefined> {
    this.#line ??= await openLine(this.#code)
    const { replays, give } = this.#line
    const replay = replays.next()
    give({ history, workflowId })
    const ending = new AbortController()
    const late = delay(replayMs, undefined, { signal: ending.signal }).then(() => {
      throw new Error(`The replay has not come to its end in ${replayMs / 1000} seconds.`)
    })
    try {
      const { value, done } = await Promise.race([replay, late])
      if (done === true) throw new Error('The replay ended without an answer.')
      return value.error?.message
    } catch (error) {
      // That worker is of no use any more; the next history gets another.
      this.#line = undefined
      give(undefined)
      return textOf(error)
    } finally {
      ending.abort()
      for (const promise of [late, replay]) promise.catch(() => {})
    }
  }

  /** Ends the worker. */
  async close(): Promise<void> {
    this.#line?.give(undefined)
    await this.#line?.replays.return?.()
  }
}

type Line = Awaited<ReturnType<typeof openLine>>

async function openLine(code: string) {
  const { Worker } = await loadSdk()
  let next = Promise.withResolvers<Given | undefined>()
  async function* histories() {
    for (;;) {
      const given = await next.promise
      if (given === undefined) return
      next = Promise.withResolvers()
      yield given
    }
  }
  const options = { workflowBundle: { code }, replayName: 'kyros-conform' }
  return {
    replays: Worker.runReplayHistories(options, histories()),
    give: (given: Given | undefined) => next.resolve(given),
  }
}
