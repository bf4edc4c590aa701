import { fileURLToPath } from 'node:url'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import type { Contestant } from '../answers.ts'
import type { TemporalOptions } from './temporal.ts'

/**
 * The worker of the plain Temporal code. Its slots, pollers and cache are the SDK's defaults: others gain nothing,
 * because the server is the limit.
 */
export async function open({ address, taskQueue }: TemporalOptions): Promise<Contestant> {
  const logging = { filter: { core: 'ERROR', other: 'ERROR' } } as const
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } })
  const connection = await NativeConnection.connect({ address })
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./temporal-workflows.ts', import.meta.url)),
    activities: { addOne: async (input: number) => input + 1 },
    reuseV8Context: true,
  })
  const working = worker.run()
  return {
    methods: {},
    close: async () => {
      worker.shutdown()
      await working
      await connection.close()
    },
  }
}
