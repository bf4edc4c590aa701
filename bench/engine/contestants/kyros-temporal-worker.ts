import { join } from 'node:path'
import { nativeOptions } from '@kyros/engine/temporal/connection'
import { loadSdk } from '@kyros/engine/temporal/load-sdk'
import { createTemporalWorker } from '@kyros/engine/temporal/temporal-worker'
import { openStore } from '@kyros/store/open-store'
import type { Contestant } from '../answers.ts'
import { createClock, implementSteps, sayErrors } from './kyros-engine.ts'
import type { KyrosTemporalOptions } from './kyros-temporal.ts'

/** What `kyros serve worker` runs, with its defaults. */
export async function open({
  address,
  taskQueue,
  dir,
  databaseUrl,
}: KyrosTemporalOptions): Promise<Contestant> {
  const namespace = 'default'
  const store = await openStore({
    dataDir: join(dir, 'data'),
    ...(databaseUrl !== undefined && { databaseUrl }),
  })
  const { NativeConnection } = await loadSdk()
  const connection = await NativeConnection.connect(nativeOptions({ address, namespace }))
  const worker = createTemporalWorker({
    ...{ store, namespace, taskQueue },
    connect: async () => connection,
    steps: implementSteps(),
    clock: createClock(),
    workspaceDir: join(dir, 'workspaces'),
    cacheDir: join(dir, 'cache'),
    log: sayErrors,
  })
  const stopping = new AbortController()
  const working = worker.run(stopping.signal)
  return {
    methods: {},
    close: async () => {
      stopping.abort()
      await working
      await connection.close()
      await store.close()
    },
  }
}
