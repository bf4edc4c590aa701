import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '@kyros/client/api-error'
import type { Client } from '@kyros/client/client'
import { inputOf, type Planned } from '../load/plan.ts'
import type { Random } from '../load/random.ts'
import type { Record } from '../load/records.ts'
import type { Replica } from './replica.ts'

const workflows = ['ordered', 'timed', 'collecting'] as const satisfies Planned[]
const signalsPerRun = 3
const clients = 6
/** A person's client gives up some time; this one must see the end of every takeover. */
const maxTryMs = 40_000
const tryMs = 12_000

export type Submitting = {
  /** Stops to start runs; resolves when what was begun is answered. */
  stop(): Promise<void>
  readonly refusals: ReadonlyMap<string, number>
}

/**
 * Clients that start runs and send signals through any replica. A call that fails is repeated at another one: a start
 * under the same Idempotency-Key, so that it must not become two.
 */
export function submitLoad(options: {
  replicas: readonly Replica[]
  token: string
  random: Random
  records: Record[]
  /** A replica that was up did not answer for ten seconds. */
  onTimeout: (what: string, origin: string) => void
}): Submitting {
  const { replicas, token, random, records } = options
  const stop = new AbortController()
  const refusals = new Map<string, number>()
  let value = 0

  /** Until one answers; undefined when it was refused for good. */
  const insist = async <T>(what: string, call: (api: Client) => Promise<T>): Promise<T | undefined> => {
    const untilMs = Date.now() + maxTryMs
    for (;;) {
      const up = replicas.filter(({ isUp }) => isUp)
      const replica = up[random.integer(0, up.length)]
      try {
        if (replica !== undefined) return await call(replica.api(token))
      } catch (error) {
        const code = error instanceof ApiError ? error.code : String(error)
        const name = `${code} to ${what}`
        refusals.set(name, (refusals.get(name) ?? 0) + 1)
        if (code === 'answer_timed_out' && replica?.wasPausedWithin(tryMs) === false) {
          options.onTimeout(what, replica.origin)
        }
        if (code === 'run_ended') return undefined
        if (Date.now() > untilMs) throw error
      }
      await delay(50)
    }
  }

  const start = async (workflow: Planned) => {
    value += 1
    const mine = value
    const idempotencyKey = randomUUID()
    const body = { title: `load ${mine}`, workflow, input: inputOf(workflow, mine) }
    const job = await insist('a start', (api) => api.call('submitJob', { body, idempotencyKey }))
    if (job === undefined) return
    records.push({ kind: 'start', run: job.run_id, job: job.id, workflow, value: mine, timeMs: Date.now() })
    if (workflow === 'collecting') await sendSignals(job.run_id)
  }

  const sendSignals = async (run: string) => {
    const send = async (signal: string) => {
      const sent = await insist('a signal', async (api) => {
        // Under a new name at each try: whether the one before arrived is not known.
        const name = randomUUID()
        records.push({ kind: 'sending', run, signal, value: name })
        await api.call('signalRun', { params: { id: run, name: signal }, body: name })
        return name
      })
      if (sent !== undefined) records.push({ kind: 'signal', run, signal, value: sent })
    }
    for (let count = 0; count < signalsPerRun; count++) await send('add')
    await send('close')
  }

  const work = async () => {
    while (!stop.signal.aborted) {
      await start(workflows[random.integer(0, workflows.length)] ?? 'ordered')
      await delay(random.integer(5, 60))
    }
  }
  const working = Promise.all(Array.from({ length: clients }, work))
  working.catch(() => {})
  return {
    refusals,
    stop: async () => {
      stop.abort()
      await working
    },
  }
}
