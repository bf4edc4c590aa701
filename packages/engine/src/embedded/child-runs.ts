import { createHash } from 'node:crypto'
import type { ErrorData, ParentClose, ParentLink } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { ProblemError } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored, StoredValueLost } from '@kyros/store/stored-value'
import type { Engine } from '../engine.ts'
import type { LiveRun } from './live-run.ts'
import type { RunFacts } from './run-facts.ts'
import type { EngineClock, Timers } from './timers.ts'

/** How a child ended, as its parent is told. */
export type ChildEnd = { kind: 'completed'; result: Json } | { kind: 'failed'; error: ErrorData }

export type NewChild = {
  parent: RunFacts
  link: ParentLink
  runId: string
  workflow: string
  key: string
  input: Json
  timeoutSeconds: number
}

export type ChildRunsOptions = {
  store: Store
  clock: EngineClock
  timers: Timers
  submit: Engine['submit']
  cancel: (runId: string, reason: string) => Promise<void>
  /** The run in memory, read if it is not there; undefined when it has ended. */
  find: (runId: string) => Promise<LiveRun | undefined>
  isClosing: () => boolean
  log: (level: 'warn', message: string) => void
}

const firstPauseMs = 500
const longestPauseMs = 30_000
/** Whoever starts itself as its own child has no end; jobs within jobs this deep are no design but a mistake. */
const maxDepth = 32
const maxTitleChars = 1_024
const parentEnded = 'The run that it was a part of does not want it any more.'

/**
 * Runs that other runs wait for. What a parent's log says of a child is made true here, as often as it takes: that
 * it exists, that its end is told, that it is stopped. A process that died in between does it again when the parent,
 * or the child, is taken up.
 */
export class ChildRuns {
  readonly #options: ChildRunsOptions
  /** Who waits for the run; also where the parent is not in memory. */
  readonly #parents = new Map<string, ParentLink>()
  /** What is being done about a child, by its run. */
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(options: ChildRunsOptions) {
    this.#options = options
  }

  /** Sees to it that the child exists, and tells the parent when it ends. */
  begin(child: NewChild): void {
    this.#parents.set(child.runId, child.link)
    this.#keepTrying(child.runId, () => this.#begin(child))
  }

  /** Stops a child in the way that was agreed for it; `onDone` is called once it was told, or needs not be. */
  close(runId: string, parentClose: ParentClose, onDone: () => void = () => {}): void {
    this.#parents.delete(runId)
    if (parentClose === 'abandon') onDone()
    else this.#keepTrying(runId, () => this.#close(runId, parentClose), onDone)
  }

  /** A child was taken up: its parent may have ended while nobody could tell it. */
  adopt(runId: string, link: ParentLink): void {
    if (this.#parents.has(runId)) return
    this.#keepTrying(runId, async () => {
      const parent = await this.#options.store.runs.get(link.run_id)
      if (parent === undefined || isTerminal(parent.status)) this.close(runId, link.parent_close)
    })
  }

  /** A run has ended, and that is on disk. */
  ended(runId: string): void {
    if (this.#parents.has(runId)) this.#keepTrying(runId, () => this.#tell(runId))
  }

  clear(): void {
    this.#parents.clear()
  }

  async #begin(child: NewChild): Promise<void> {
    const { store } = this.#options
    const record = await store.runs.get(child.runId)
    if (record !== undefined) {
      if (isTerminal(record.status)) await this.#tell(child.runId)
      return
    }
    const above = await store.runs.get(child.parent.runId)
    // Deleted meanwhile: nobody is left to wait for it.
    if (above === undefined) {
      this.#parents.delete(child.runId)
      return
    }
    if ((child.link.depth ?? 1) > maxDepth) {
      const message = `Children nest at most ${maxDepth} deep. Does ${child.workflow} start itself? Use loop or continueAsNew.`
      return this.#report(child.runId, { kind: 'failed', error: { code: 'child_too_deep', message } }, null)
    }
    try {
      await this.#options.submit(this.#submission(child, above))
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status >= 500) throw error
      const { code, message: detail } = error
      await this.#report(child.runId, { kind: 'failed', error: { code, message: detail } }, null)
    }
  }

  #submission(child: NewChild, above: RunRecord): Parameters<Engine['submit']>[0] {
    const { runId, workflow, key, input, timeoutSeconds, parent, link } = child
    const { maxRetries, principal, traceparent } = parent
    const timeMs = this.#options.clock.nowMs()
    // The same again after a crash: the key keeps it from coming to be twice.
    const kept = { principal: 'engine', route: 'child', key: runId, fingerprint: runId }
    return {
      jobId: jobIdOf(runId),
      runId,
      title: `${above.name}: ${key}`.slice(0, maxTitleChars),
      task: null,
      agentId: null,
      workflow,
      input,
      priority: above.priority,
      projectId: above.project_id,
      metadata: { parent_run_id: parent.runId },
      maxRetries,
      timeoutSeconds,
      principal,
      timeMs,
      parent: link,
      traceparent,
      idempotency: { ...kept, status: 201, response: { run_id: runId }, createdMs: timeMs },
    }
  }

  async #tell(runId: string): Promise<void> {
    const record = await this.#options.store.runs.get(runId)
    if (record === undefined || !isTerminal(record.status)) return
    await this.#report(runId, await this.#endOf(record), record.result)
  }

  async #endOf(record: RunRecord): Promise<ChildEnd> {
    const end = endOf(record)
    if (end.kind === 'failed') return end
    try {
      return { kind: 'completed', result: await fromStored(end.result, this.#options.store.blobs) }
    } catch (error) {
      if (!(error instanceof StoredValueLost)) throw error
      return { kind: 'failed', error: { code: 'child_result_lost', message: error.message } }
    }
  }

  async #report(runId: string, end: ChildEnd, stored: Json): Promise<void> {
    const link = this.#parents.get(runId)
    if (link === undefined) return
    const parent = await this.#options.find(link.run_id)
    if (parent === undefined) this.#parents.delete(runId)
    else {
      parent.post(() => {
        this.#parents.delete(runId)
        parent.asks?.children.ended(link.command, runId, end, stored)
      })
    }
  }

  async #close(runId: string, parentClose: 'cancel' | 'request_cancel'): Promise<void> {
    const { find, cancel, store } = this.#options
    if (parentClose === 'request_cancel') {
      const record = await store.runs.get(runId)
      if (record !== undefined && !isTerminal(record.status) && !record.cancel_requested)
        await cancel(runId, parentEnded)
      return
    }
    const run = await find(runId)
    await run?.act((hands, done) => {
      hands.end({ type: 'run.cancelled', data: { reason: parentEnded } })
      done()
    })
  }

  /** One thing after the other for each child: one that is not wanted any more is begun before it is stopped. */
  #keepTrying(runId: string, act: () => Promise<void>, onDone = () => {}): void {
    const before = this.#underWay.get(runId) ?? Promise.resolve()
    const done = before.then(() => this.#untilDone(runId, act, onDone))
    this.#underWay.set(runId, done)
    void done.then(() => {
      if (this.#underWay.get(runId) === done) this.#underWay.delete(runId)
    })
  }

  /** Never rejects. Who refuses will not do otherwise: then it is done as well. */
  async #untilDone(runId: string, act: () => Promise<void>, onDone: () => void): Promise<void> {
    const { isClosing, timers, clock, log } = this.#options
    for (let pauseMs = firstPauseMs; !isClosing(); pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await act()
        return onDone()
      } catch (error) {
        if (isClosing()) return
        if (error instanceof ProblemError && error.status < 500) return onDone()
        log('warn', `The child ${runId} is seen to in ${pauseMs} ms: ${String(error)}`)
        await new Promise<void>((resolve) => timers.at(clock.nowMs() + pauseMs, resolve))
      }
    }
  }
}

/** The job of a child follows from its run, so that a second try makes the same. */
function jobIdOf(runId: string): string {
  const timeMs = Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16)
  return uuidv7(timeMs, createHash('sha256').update(`job of ${runId}`).digest().subarray(0, 10))
}

function endOf(record: RunRecord): ChildEnd {
  switch (record.status) {
    case 'completed':
      return { kind: 'completed', result: record.result }
    case 'failed':
      return { kind: 'failed', error: record.error ?? { code: 'child_failed', message: 'The child failed.' } }
    case 'timed_out': {
      const message = record.error?.message ?? 'The child took longer than its limit.'
      return { kind: 'failed', error: { code: 'child_timed_out', message } }
    }
    default: {
      const message = `The child was cancelled: ${record.reason_detail ?? 'no reason given'}`
      return { kind: 'failed', error: { code: 'child_cancelled', message } }
    }
  }
}
