import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { Store } from '@kyros/store/store'
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import { Attempt, type AttemptEnd, errorData, type StepFunction } from '../embedded/attempt.ts'
import type { EngineLog } from '../embedded/engine-parts.ts'
import { maxPayloadBytes, PayloadError, toJson } from '../embedded/json-value.ts'
import { RunLog } from '../embedded/log-buffer.ts'
import type { Slots } from '../embedded/slots.ts'
import { AttemptContext } from '../embedded/step-context.ts'
import type { EngineClock, Timers } from '../embedded/timers.ts'
import type { Workspaces } from '../embedded/workspaces.ts'
import { cutOff, elsewhere, inlineLimits, type StepMeta, workerMissing } from './start-facts.ts'

export type StepActivityParts = {
  readonly store: Store
  readonly clock: EngineClock
  readonly timers: Timers
  readonly slots: Slots
  readonly workspaces: Workspaces
  readonly abortGraceMs: number
  /** How often an attempt gives a sign of life, which is also how soon it hears that it was cancelled. */
  readonly beatEveryMs: number
  readonly implementation: (workflow: string, step: string) => StepFunction | undefined
  readonly log: EngineLog
}

type Asked = { input: Json; meta: StepMeta; traceparent: string | undefined }

/** Attempts of steps as activities of a cluster's worker: the same attempt as on the embedded engine. */
export class StepActivities {
  readonly #parts: StepActivityParts
  readonly #live = new Set<(reason: Error) => void>()
  /** Attempts that wait for a slot; each ends its wait. */
  readonly #waiting = new Set<() => void>()
  #leaving: Error | undefined
  #closing: Error | undefined

  constructor(parts: StepActivityParts) {
    this.#parts = parts
  }

  /** Attempts that have begun; those that wait for a slot have not. */
  get running(): number {
    return this.#live.size
  }

  /** What waits for a slot begins elsewhere, under its number; what has begun goes on. */
  beginNoMore(reason: string): void {
    this.#leaving = new Error(reason)
    for (const stop of this.#waiting) stop()
  }

  /** Cuts off what runs: it begins again elsewhere, under its number. */
  cutAll(reason: string): void {
    this.beginNoMore(reason)
    this.#closing = new Error(reason)
    for (const cut of this.#live) cut(this.#closing)
  }

  /** The one activity there is: its arguments say which step. `traceparent`: of the request that asked for the run. */
  run = async (input: Json, meta: StepMeta, traceparent?: string): Promise<Json> => {
    const { implementation } = this.#parts
    const found = implementation(meta.workflow, meta.step)
    if (found === undefined) {
      const message = `Nothing here does the step ${meta.step}. Start a process whose steps include it.`
      throw ApplicationFailure.create({ message, type: workerMissing, nonRetryable: true })
    }
    const { info, cancelled } = Context.current()
    cancelled.catch(() => {})
    const asked = { input, meta, traceparent }
    if (info.isLocal) return this.#inSlot(found, asked)
    const beating = setInterval(() => Context.current().heartbeat(), this.#parts.beatEveryMs)
    try {
      return await this.#inSlot(found, asked)
    } finally {
      clearInterval(beating)
    }
  }

  async #inSlot(found: StepFunction, asked: Asked): Promise<Json> {
    const { slots } = this.#parts
    const { meta } = asked
    const { mode, queue, concurrency_key: concurrencyKey, priority, run_id: runId } = meta
    const demand = { mode, queue, concurrencyKey, priority }
    const { info, cancellationSignal } = Context.current()
    if (meta.doubtful) throw elsewhereFailure('A worker may have ended while this step ran.')
    await this.#slot(runId, demand, cancellationSignal, info.isLocal ? inlineLimits.slotWaitMs : undefined)
    try {
      return await this.#attempt(found, asked)
    } finally {
      slots.release(runId, demand)
    }
  }

  /** `longestMs`: how long it may wait. */
  async #slot(
    runId: string,
    demand: Parameters<Slots['take']>[2],
    signal: AbortSignal,
    longestMs: number | undefined,
  ): Promise<void> {
    const { slots, timers, clock } = this.#parts
    if (this.#leaving !== undefined) throw cutFailure(this.#leaving)
    const granted = Promise.withResolvers<void>()
    if (slots.take(runId, granted.resolve, demand)) return
    let isGiven = false
    const given = granted.promise.then(() => {
      isGiven = true
    })
    const stopped = Promise.withResolvers<void>()
    const stop = () => stopped.resolve()
    this.#waiting.add(stop)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const late = longestMs === undefined ? undefined : timers.at(clock.nowMs() + longestMs, stop)
    try {
      await Promise.race([given, stopped.promise])
    } finally {
      late?.cancel()
      this.#waiting.delete(stop)
      signal.removeEventListener('abort', stop)
    }
    if (isGiven) return
    // Whoever is given a slot after it gave up gives it back.
    void given.then(() => slots.release(runId, demand))
    if (this.#leaving !== undefined) throw cutFailure(this.#leaving)
    throw signal.aborted
      ? new CancelledFailure('The step was cancelled.')
      : elsewhereFailure('No slot was free soon enough.')
  }

  async #attempt(implementation: StepFunction, asked: Asked): Promise<Json> {
    const { input, meta } = asked
    const { cancellationSignal, info } = Context.current()
    const grace = info.isLocal ? inlineLimits.abortGraceMs : Infinity
    const parts = { ...this.#parts, abortGraceMs: Math.min(this.#parts.abortGraceMs, grace) }
    const ended = Promise.withResolvers<AttemptEnd>()
    const limits = { startToCloseMs: meta.start_to_close_ms, heartbeatMs: meta.heartbeat_ms }
    const live: Attempt = new Attempt(parts, limits, ended.resolve)
    let stopped: Error | undefined
    const stop = (reason: Error) => {
      stopped ??= reason
      live.abort(reason)
    }
    this.#live.add(stop)
    const onCancel = () => stop(reasonOf(cancellationSignal))
    cancellationSignal.addEventListener('abort', onCancel, { once: true })
    if (cancellationSignal.aborted) onCancel()
    if (this.#closing !== undefined) stop(this.#closing)
    const log = new RunLog(parts, meta.run_id)
    try {
      live.run(implementation, input, this.#context(live, log, asked))
      const end = await ended.promise
      await Promise.all([log.flush(), live.flushed?.()])
      return this.#result(end, meta, stopped)
    } finally {
      this.#live.delete(stop)
      cancellationSignal.removeEventListener('abort', onCancel)
    }
  }

  #context(live: Attempt, log: RunLog, { meta, traceparent }: Asked): AttemptContext {
    const { run_id: runId, step, key, attempt: number, principal } = meta
    // Whose attempt it is, the cluster decides; what an old one writes beside the log is told apart by its number.
    const parts = { ...this.#parts, epoch: () => undefined }
    return new AttemptContext({ parts, log, runId, principal, traceparent, step, key, number }, live)
  }

  #result(end: AttemptEnd, { step }: StepMeta, stopped: Error | undefined): Json {
    if (stopped !== undefined && end.kind === 'failed') {
      throw stopped === this.#closing || isShutdown(stopped)
        ? cutFailure(stopped)
        : new CancelledFailure(stopped.message)
    }
    if (end.kind === 'failed') throw failureOf(end.error)
    try {
      const output = toJson(end.output, `The output of step ${step}`)
      const bytes = Buffer.byteLength(JSON.stringify(output))
      if (bytes <= maxPayloadBytes) return output
      const limit = `${maxPayloadBytes} bytes`
      const message = `The output of step ${step} has ${bytes} bytes, more than ${limit}. Keep the data as an artifact and pass its name.`
      throw new PayloadError('payload_too_large', message)
    } catch (error) {
      throw failureOf({ ...errorData(error), retryable: !(error instanceof PayloadError) })
    }
  }
}

const shutdownReason = 'WORKER_SHUTDOWN'
const isShutdown = (reason: Error) => reason.message === shutdownReason

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error('The step was cancelled.')
}

function elsewhereFailure(message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type: elsewhere, nonRetryable: true })
}

function cutFailure({ message }: Error): ApplicationFailure {
  return ApplicationFailure.create({ message, type: cutOff, nonRetryable: true })
}

function failureOf({ code, message, retryable, cause }: ErrorData): ApplicationFailure {
  const detail = { retryable: retryable ?? true, ...(cause === undefined ? {} : { cause }) }
  return ApplicationFailure.create({ message, type: code, nonRetryable: true, details: [detail] })
}
