import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '@kyros/client/api-error'
import type { Client } from '@kyros/client/client'
import { inputOf, type Planned } from '../load/plan.ts'
import type { Random } from '../load/random.ts'
import type { Record } from '../load/records.ts'
import type { Entrance } from './replica.ts'

const workflows = ['ordered', 'timed', 'collecting'] as const satisfies Planned[]
const signalsPerRun = 3
/** A person's client gives up some time; this one must see the end of every takeover. */
const maxTryMs = 40_000
const tryMs = 12_000

type SubmitOptions = {
  replicas: readonly Entrance[]
  token: string
  random: Random
  records: Record[]
  /** A replica that was up did not answer for ten seconds. */
  onTimeout: (what: string, origin: string) => void
  /** How many clients there are. */
  clients: number
  /** How long each waits between what it did and what it does next: at least, and less than. */
  pauseMs: readonly [number, number]
  /** The start of a run was acknowledged. */
  onStarted?: (runId: string) => void
}

/**
 * Clients that start runs and send signals through any replica. A call that fails is repeated at another one: a start
 * under the same Idempotency-Key, so that it must not become two.
 */
export class Submitters {
  /** How often what was refused with which code. */
  readonly refusals = new Map<string, number>()
  readonly #options: SubmitOptions
  readonly #working: Promise<unknown>
  #isStopped = false
  #value = 0

  constructor(options: SubmitOptions) {
    this.#options = options
    this.#working = Promise.all(Array.from({ length: options.clients }, () => this.#work()))
    this.#working.catch(() => {})
  }

  /** Starts no more runs; resolves when what was begun is answered. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#working
  }

  async #work(): Promise<void> {
    const { random, pauseMs } = this.#options
    while (!this.#isStopped) {
      await this.#start(workflows[random.integer(0, workflows.length)] ?? 'ordered')
      await delay(random.integer(...pauseMs))
    }
  }

  async #start(workflow: Planned): Promise<void> {
    this.#value += 1
    const value = this.#value
    const idempotencyKey = randomUUID()
    const body = { title: `load ${value}`, workflow, input: inputOf(workflow, value) }
    const job = await this.#insist('a start', (api) => api.call('submitJob', { body, idempotencyKey }))
    if (job === undefined) return
    const { run_id: run, id } = job
    this.#options.records.push({ kind: 'start', run, job: id, workflow, value, timeMs: Date.now() })
    this.#options.onStarted?.(run)
    if (workflow !== 'collecting') return
    for (let count = 0; count < signalsPerRun; count++) await this.#send(run, 'add')
    await this.#send(run, 'close')
  }

  async #send(run: string, signal: string): Promise<void> {
    const { records } = this.#options
    // Under the same key at each try: whether the one before arrived is not known.
    const value = randomUUID()
    const signalled = { params: { id: run, name: signal }, body: value, idempotencyKey: value }
    records.push({ kind: 'sending', run, signal, value })
    const sent = await this.#insist('a signal', (api) => api.call('signalRun', signalled))
    if (sent !== undefined) records.push({ kind: 'signal', run, signal, value })
  }

  /** Until one answers; undefined when it was refused for good. */
  async #insist<T>(what: string, call: (api: Client) => Promise<T>): Promise<T | undefined> {
    const { replicas, random, token } = this.#options
    const untilMs = Date.now() + maxTryMs
    for (;;) {
      const up = replicas.filter(({ isUp }) => isUp)
      const replica = up[random.integer(0, up.length)]
      try {
        if (replica !== undefined) return await call(replica.api(token))
      } catch (error) {
        const code = this.#noteRefusal(what, error, replica)
        if (code === 'run_ended') return undefined
        if (Date.now() > untilMs) throw error
      }
      await delay(50)
    }
  }

  #noteRefusal(what: string, error: unknown, replica: Entrance | undefined): string {
    const code = error instanceof ApiError ? error.code : String(error)
    const name = `${code} to ${what}`
    this.refusals.set(name, (this.refusals.get(name) ?? 0) + 1)
    if (code === 'answer_timed_out' && replica?.wasPausedWithin(tryMs) === false) {
      this.#options.onTimeout(what, replica.origin)
    }
    return code
  }
}
