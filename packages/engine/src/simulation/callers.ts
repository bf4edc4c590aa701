import type { Json } from '@kyros/contract/json'
import { ProblemError } from '@kyros/contract/problem'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { InboxMessage } from '@kyros/store/command'
import type { Engine, Submission, Submitted } from '../engine.ts'
import type { Asked, ObservedRun, Told } from './model.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import { inLife, type Scheduler } from './scheduler.ts'

type Open<T> = { -readonly [K in keyof T]: T[K] }
type ListOf<K extends keyof ObservedRun> = Open<
  NonNullable<ObservedRun[K]> extends readonly (infer T)[] ? T : never
>[]

/** What callers know of a run that they asked for. */
export type KnownRun = {
  readonly runId: string
  readonly jobId: string
  readonly workflow: string
  told: Told
  readonly signals: ListOf<'signals'>
  readonly cancels: ListOf<'cancels'>
  readonly pauses: ListOf<'pauses'>
  readonly answers: ListOf<'answers'>
  readonly updates: ListOf<'updates'>
  /** Orders whose effect is not looked for. */
  readonly others: Open<Asked>[]
}

export type NewWork = Pick<Submission, 'workflow' | 'input' | 'timeoutSeconds' | 'maxRetries' | 'runAtMs'>

export const caller = { id: 'user:simulation', role: 'admin' } as const

/** People and programs outside: they call a process that serves, and hear its answer unless it dies first. */
export class Callers {
  readonly runs: KnownRun[] = []
  /** Runs that runs asked for, as far as callers came upon them. */
  readonly children: KnownRun[] = []
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
  submit(what: NewWork, key: string): Promise<KnownRun> {
    return this.#untilTold(what.workflow ?? '', key, (engine, run) =>
      engine.submit(this.#submission(what, key, run)),
    )
  }

  /** Does the whole job again, if it has ended. */
  again(run: KnownRun): Promise<KnownRun> {
    const key = `again ${++this.#sent}`
    return this.#untilTold(run.workflow, key, (engine, next) => {
      const { runId } = next
      const timeMs = this.#scheduler.nowMs
      const idempotency = this.#kept(key, runId)
      return engine.retry(run.jobId, { runId, principal: caller, timeMs, idempotency })
    })
  }

  /** Makes another run that goes on from a step of this one. */
  fork(run: KnownRun, fromStep: string): Promise<KnownRun> {
    const key = `fork ${++this.#sent}`
    return this.#untilTold(run.workflow, key, (engine, { runId, jobId }) => {
      const timeMs = this.#scheduler.nowMs
      const idempotency = this.#kept(key, runId)
      return engine.fork(run.runId, { fromStep, jobId, runId, principal: caller, timeMs, idempotency })
    })
  }

  async #untilTold(
    workflow: string,
    key: string,
    ask: (engine: Engine, run: KnownRun) => Promise<Submitted>,
  ): Promise<KnownRun> {
    const { told, run } = await this.#askOnce(workflow, ask)
    if (told !== 'unknown') return run
    await this.pause(this.#random.int(50, 2000))
    return this.#untilTold(workflow, key, ask)
  }

  async #askOnce(
    workflow: string,
    ask: (engine: Engine, run: KnownRun) => Promise<Submitted>,
  ): Promise<{ told: Told; run: KnownRun }> {
    const run = this.#newRun(workflow)
    this.runs.push(run)
    let replayed: Json = null
    run.told = await this.#ask(`asks for ${nameOf(run)} ${run.workflow}`, async (engine) => {
      const answer = await ask(engine, run)
      if ('replayed' in answer) replayed = answer.replayed.response
    })
    if (replayed === null) return { told: run.told, run }
    // The first try under this key came through after all, and this one made nothing.
    run.told = 'refused'
    const text = JSON.stringify(replayed)
    const first = this.runs.find(({ runId }) => JSON.stringify({ run_id: runId }) === text)
    if (first === undefined) throw new Error(`The answer ${text} names no run.`)
    first.told = 'acknowledged'
    return { told: 'acknowledged', run: first }
  }

  #kept(key: string, runId: string): NonNullable<Submission['idempotency']> {
    const createdMs = this.#scheduler.nowMs
    const response = { run_id: runId }
    return { principal: caller.id, route: 'jobs', key, fingerprint: key, status: 201, response, createdMs }
  }

  /** The runs of these ids; children come to be without callers. */
  known(runIds: Iterable<string>): KnownRun[] {
    return [...runIds].map((runId) => {
      const known =
        this.runs.find((run) => run.runId === runId) ?? this.children.find((run) => run.runId === runId)
      if (known !== undefined) return known
      const child = { ...this.#newRun(''), runId }
      this.children.push(child)
      return child
    })
  }

  #newRun(workflow: string): KnownRun {
    const [runId, jobId] = [this.newId(), this.newId()]
    const lists = { signals: [], cancels: [], pauses: [], answers: [], updates: [], others: [] }
    return { runId, jobId, workflow, told: 'unknown', ...lists }
  }

  #submission(what: NewWork, key: string, { runId, jobId }: KnownRun): Submission {
    const timeMs = this.#scheduler.nowMs
    return {
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
      idempotency: this.#kept(key, runId),
    }
  }

  /** Every second one has an id: it is sent again until somebody says what came of it, and has to be taken once. */
  async signal(run: KnownRun, signal: string): Promise<void> {
    const payload = ++this.#sent
    const signalId = payload % 2 === 0 ? `signal-${payload}` : undefined
    const sent: KnownRun['signals'][number] = { signal, payload, told: 'unknown', byInbox: false }
    run.signals.push(sent)
    for (let tries = signalId === undefined ? 1 : 4; tries > 0 && sent.told === 'unknown'; tries--) {
      sent.told = await this.#ask(`signals ${nameOf(run)} ${payload}`, (engine) =>
        engine.signal(run.runId, signal, payload, caller, signalId),
      )
      if (sent.told === 'unknown') await this.pause(this.#random.int(50, 2000))
    }
  }

  async cancel(run: KnownRun): Promise<void> {
    await this.#order(run.cancels, {}, `cancels ${nameOf(run)}`, (engine) =>
      engine.cancel(run.runId, 'The simulation cancels.', caller),
    )
  }

  async hold(run: KnownRun): Promise<void> {
    await this.#order(run.pauses, {}, `pauses ${nameOf(run)}`, (engine) => engine.pause(run.runId, caller))
  }

  async letGo(run: KnownRun): Promise<void> {
    await this.#order(run.others, {}, `resumes ${nameOf(run)}`, (engine) => engine.resume(run.runId, caller))
  }

  async limit(run: KnownRun, tokens: number): Promise<void> {
    await this.#order(run.others, {}, `limits ${nameOf(run)} to ${tokens}`, (engine) =>
      engine.setBudget(run.runId, { tokens }, caller),
    )
  }

  async use(run: KnownRun, tokens: number): Promise<void> {
    await this.#order(run.others, {}, `uses ${tokens} of ${nameOf(run)}`, (engine) =>
      engine.reportUsage(run.runId, { tokens }),
    )
  }

  /** Moves the run to the newest definition of its workflow. */
  async upgrade(run: KnownRun): Promise<void> {
    await this.#order(run.others, {}, `upgrades ${nameOf(run)}`, (engine) =>
      engine.upgrade(run.runId, { principal: caller }),
    )
  }

  /** Answers whoever waits at a waitpoint; perhaps nobody does any more. */
  async answer(run: KnownRun, token: string): Promise<void> {
    const payload = ++this.#sent
    await this.#order(run.answers, { payload }, `answers ${nameOf(run)} ${payload}`, (engine) =>
      engine.completeWaitpoint(token, payload, caller),
    )
  }

  /** Asks for an update, and again under the same id until somebody says what came of it. */
  async update(run: KnownRun): Promise<void> {
    const payload = ++this.#sent
    const updateId = `update-${payload}`
    const update: KnownRun['updates'][number] = { updateId, told: 'unknown' }
    run.updates.push(update)
    for (let tries = 0; tries < 4 && update.told === 'unknown'; tries++) {
      update.told = await this.#ask(`updates ${nameOf(run)} ${payload}`, async (engine) => {
        update.result = await engine.update(run.runId, 'ask', payload, { updateId, principal: caller })
      })
      if (update.told === 'unknown') await this.pause(this.#random.int(50, 2000))
    }
  }

  /** Looks without changing anything. */
  async look(run: KnownRun): Promise<void> {
    await this.#ask(`asks why ${nameOf(run)}`, (engine) => engine.why(run.runId))
    await this.#ask(`queries ${nameOf(run)}`, (engine) => engine.query(run.runId, 'signals', null))
  }

  /** A message was stored in the inbox: its run may end before somebody reads it. */
  noteInbox(message: InboxMessage): void {
    const run = [...this.runs, ...this.children].find(({ runId }) => runId === message.runId)
    if (run === undefined) return
    if (message.type === 'cancel') for (const cancel of run.cancels) cancel.byInbox = true
    if (message.type === 'signal')
      for (const sent of run.signals) if (sent.payload === message.payload) sent.byInbox = true
    if (message.type === 'operate')
      for (const order of [...run.pauses, ...run.answers, ...run.updates])
        if (order.told === 'unknown') order.byInbox = true
  }

  /** A time in the world outside, which no crash cuts short. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#scheduler.after(ms, 'a caller goes on', resolve))
  }

  newId(): string {
    const bytes = Uint8Array.from({ length: 10 }, () => this.#random.int(0, 255))
    return uuidv7(this.#scheduler.nowMs, bytes)
  }

  async #order<T extends Open<Asked>>(
    list: T[],
    what: Omit<T, keyof Asked>,
    name: string,
    call: (engine: Engine) => Promise<unknown>,
  ): Promise<void> {
    // Border cast: the two parts together are what the list holds.
    const order = { ...what, told: 'unknown', byInbox: false } as unknown as T
    list.push(order)
    order.told = await this.#ask(name, call)
  }

  /** Calls one of the processes that serve, and says what became of it. */
  async #ask(what: string, call: (engine: Engine) => Promise<unknown>): Promise<Told> {
    const serving = this.#processes().filter(({ engine }) => engine !== undefined)
    const [first, ...others] = serving
    if (first === undefined) {
      await this.pause(200)
      return this.#ask(what, call)
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

const nameOf = ({ runId }: KnownRun) => runId.slice(-4)

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
