import { prepareDefinitions } from '@kyros/engine/definitions/definitions'
import { connectTemporal } from '@kyros/engine/temporal/connection'
import { createTemporalEngine } from '@kyros/engine/temporal/temporal-engine'
import type { Contestant, Loop } from '../answers.ts'
import { closedLoop } from '../closed-loop.ts'
import { measureLatency } from '../latency.ts'
import { type EngineOptions, startEngine, workflows } from './kyros-engine.ts'
import type { TemporalOptions } from './temporal.ts'

export type KyrosTemporalOptions = EngineOptions & TemporalOptions

/** Our engine on a cluster, on PostgreSQL: a run is over when its end is in our log, as on the embedded engine. */
export async function open({ address, taskQueue, ...options }: KyrosTemporalOptions): Promise<Contestant> {
  const namespace = 'default'
  const stops: (() => Promise<void>)[] = []
  const running = await startEngine(options, undefined, async ({ store, clock, cacheDir, log }) => {
    const { nowMs } = clock
    const definitions = await prepareDefinitions({ store, workflows, cacheDir, nowMs })
    const cluster = connectTemporal({ address, namespace }, { log, clock })
    stops.push(() => cluster.close())
    return createTemporalEngine({
      ...{ store, definitions, clock, log, namespace, taskQueue },
      client: async () => cluster.client,
      waitpointKeys: [{ id: 'bench-01', key: new Uint8Array(32).fill(1) }],
    })
  })
  return {
    methods: {
      saturate: (loop: Loop) => closedLoop(() => running.run('three_steps', 1, 'end'), loop),
      latency: (params: { pairs: number }) =>
        measureLatency((steps) => running.run('chain', steps, 'end'), params),
    },
    close: async () => {
      await running.stop()
      for (const stop of stops) await stop()
    },
  }
}
