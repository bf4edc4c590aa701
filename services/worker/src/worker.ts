import { api } from '@kyros/contract/api'
import type { TemporalWorker } from '@kyros/engine/temporal/temporal-worker'
import { readReadiness } from '@kyros/kernel/readiness'
import { registerRoute } from '@kyros/kernel/route'
import type { Service } from '@kyros/kernel/service'

export type WorkerOptions = {
  worker: TemporalWorker
  /** How long running attempts may take to end when the process stops. */
  drainMs: number
  /** False where another service of the process has the probes. */
  hasProbes: boolean
}

/** Does the steps of runs on a cluster. */
export function createWorker({ worker, drainMs, hasProbes }: WorkerOptions): Service {
  return {
    name: 'worker',
    ...(hasProbes && { plugin: registerProbes }),
    health: () => {
      const { builds, running_attempts: runningAttempts, last_error: error } = worker.health()
      const details = { builds, running_attempts: runningAttempts }
      return error === undefined ? { status: 'healthy', details } : { status: 'degraded', details, error }
    },
    run: (signal) => worker.run(signal),
    drain: () => worker.drain(drainMs),
  }
}

const registerProbes: NonNullable<Service['plugin']> = (app) => {
  const { life } = app.edge
  registerRoute(app, api.livez, () => ({ status: 'ok' }))
  for (const route of [api.readyz, api.ready]) {
    registerRoute(app, route, async ({ query, reply }) => {
      const readiness = await readReadiness(life, query.verbose !== undefined && query.verbose !== '0')
      if (!readiness.ready) reply.code(503).header('retry-after', '1')
      return readiness
    })
  }
}
