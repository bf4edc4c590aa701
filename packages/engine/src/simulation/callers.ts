import { uuidv7 } from '@kyros/contract/id'
import type { Json } from '@kyros/contract/json'
import { ProblemError } from '@kyros/contract/problem'
import type { InboxMessage } from '@kyros/store/command'
import type { Engine, Submission } from '../engine.ts'
import type { SentSignal, Told } from './model.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import { inLife, type Scheduler } from './scheduler.ts'

/** What callers know of a run that they asked for. */
export type KnownRun = {
  readonly runId: string
  readonly jobId: string
  readonly workflow: string
  told: Told
  readonly signals: Sent<SentSignal>[]
  readonly cancels: Cancellation[]
}

type Sent<T> = { -readonly [K in keyof T]: T[K] }
type Cancellation = { told: Told; byInbox: boolean }

export const caller = { id: 'user:simulation', role: 'admin' } as const

/** People and programs outside: they call a process that serves, and hear its answer unless it dies first. */
export class Callers {
  readonly runs: KnownRun[] = []
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #processes: () => readonly Process[]
  readonly #projectId: string
  #sent = 0

  constructor(options: {
    scheduler: Scheduler
    random: Random
    processes: () => readonly Process[]
    projectId: string
  }) {
    this.#scheduler = options.scheduler
    this.#random = options.random
    this.#processes = options.processes
    this.#projectId = options.projectId
  }

  /** Submits, and asks again under the same key until somebody answers: one run must come of it. */
  async submit(
    what: Pick<Submission, 'workflow' | 'input' | 'timeoutSeconds' | 'maxRetries' | 'runAtMs'>,
    key: string,
  ): Promise<KnownRun> {
    const { told, run } = await this.#submitOnce(what, key)
    if (told !== 'unknown') return run
    await this.pause(this.#random.int(50, 2000))
    return this.submit(what, key)
  }

  async #submitOnce(
    what: Pick<Submission, 'workflow' | 'input' | 'timeoutSeconds' | 'maxRetries' | 'runAtMs'>,
    key: string,
  ): Promise<{ told: Told; run: KnownRun }> {
    const [runId, jobId, timeMs] = [this.newId(), this.newId(), this.#scheduler.nowMs]
    const run: KnownRun = {
      runId,
      jobId,
      workflow: what.workflow ?? '',
      told: 'unknown',
      signals: [],
      cancels: [],
    }
    this.runs.push(run)
    const idempotency = {
      principal: caller.id,
      route: 'jobs',
      key,
      fingerprint: key,
      status: 201,
      response: { run_id: runId },
      createdMs: timeMs,
    }
    const submission: Submission = {
      ...what,
      jobId,
      runId,
      title: key,
      task: null,
      agentId: null,
      priority: 'medium',
      projectId: this.#projectId,
      metadata: {},
      principal: caller,
      timeMs,
      idempotency,
    }
    let replayed: Json = null
    run.told = await this.#ask(`submits ${runId.slice(-4)} ${run.workflow}`, async (engine) => {
      const answer = await engine.submit(submission)
      if ('replayed' in answer) replayed = answer.replayed.response
    })
    if (replayed === null) return { told: run.told, run }
    // The first try under this key came through after all, and this one made nothing.
    run.told = 'refused'
    const first = this.runs.find(
      (known) => JSON.stringify({ run_id: known.runId }) === JSON.stringify(replayed),
    )
    if (first === undefined) throw new Error(`The answer ${JSON.stringify(replayed)} names no run.`)
    first.told = 'acknowledged'
    return { told: 'acknowledged', run: first }
  }

  async signal(run: KnownRun, signal: string): Promise<void> {
    const payload = ++this.#sent
    const sent: Sent<SentSignal> = { signal, payload, told: 'unknown', byInbox: false }
    run.signals.push(sent)
    sent.told = await this.#ask(`signals ${run.runId.slice(-4)} ${payload}`, (engine) =>
      engine.signal(run.runId, signal, payload, caller),
    )
  }

  async cancel(run: KnownRun): Promise<void> {
    const cancel: Cancellation = { told: 'unknown', byInbox: false }
    run.cancels.push(cancel)
    cancel.told = await this.#ask(`cancels ${run.runId.slice(-4)}`, (engine) =>
      engine.cancel(run.runId, 'The simulation cancels.', caller),
    )
  }

  /** A message was stored in the inbox: its run may end before somebody reads it. */
  noteInbox(message: InboxMessage): void {
    const run = this.runs.find(({ runId }) => runId === message.runId)
    if (message.type === 'cancel') for (const cancel of run?.cancels ?? []) cancel.byInbox = true
    if (message.type !== 'signal') return
    for (const sent of run?.signals ?? []) if (sent.payload === message.payload) sent.byInbox = true
  }

  async why(run: KnownRun): Promise<void> {
    await this.#ask(`asks why ${run.runId.slice(-4)}`, (engine) => engine.why(run.runId))
  }

  /** A time in the world outside, which no crash cuts short. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#scheduler.after(ms, 'a caller goes on', resolve, undefined))
  }

  newId(): string {
    const bytes = Uint8Array.from({ length: 10 }, () => this.#random.int(0, 255))
    return uuidv7(this.#scheduler.nowMs, bytes)
  }

  /** Calls one of the processes that serve, and says what became of it. */
  async #ask(what: string, call: (engine: Engine) => Promise<unknown>): Promise<Told> {
    const serving = this.#processes().filter(({ engine }) => engine !== undefined)
    const [first, ...others] = serving
    if (first === undefined) {
      await this.pause(200)
      return this.#processes().length === 0 ? 'unknown' : this.#ask(what, call)
    }
    const process = this.#random.pick([first, ...others])
    const { engine, life } = process
    if (engine === undefined) return 'unknown'
    this.#scheduler.note(`a caller ${what} at ${life.name}`)
    const answer = inLife(life, () => answerOf(call(engine)))
    const told = await Promise.race([answer, process.ended.then((): Told => 'unknown')])
    this.#scheduler.note(`a caller ${what}: ${told}`)
    return told
  }
}

async function answerOf(call: Promise<unknown>): Promise<Told> {
  try {
    await call
    return 'acknowledged'
  } catch (error) {
    // A refusal is an answer; after an outage nobody knows.
    const isRefusal = error instanceof ProblemError && error.status < 500
    return isRefusal ? 'refused' : 'unknown'
  }
}
