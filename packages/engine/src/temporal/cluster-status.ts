import type { Store } from '@kyros/store/store'
import { countRunsOf } from './build-runs.ts'
import type { TemporalConnection } from './connection.ts'
import { buildsInUse } from './needed-builds.ts'
import { isServed, type Poller, readPollers } from './pollers.ts'
import type { TemporalState } from './temporal-problem.ts'

/** A version of the code of runs, and how many of them have not ended. */
export type BuildStatus = { build: string; runs: number; hasWorker: boolean }

export type ClusterStatus = {
  address: string
  namespace: string
  taskQueue: string
  state: TemporalState
  workers: Poller[]
  /** Those that runs are on, the newest first. */
  builds: BuildStatus[]
}

const askMs = 3_000
/** Beyond these nothing is said: each costs a call. */
const maxBuilds = 50

/** What the cluster is and who polls it, as of now. Never rejects; without an answer nobody polls. */
export async function readClusterStatus(
  connection: TemporalConnection,
  { address, taskQueue, store }: { address: string; taskQueue: string; store: Store },
): Promise<ClusterStatus> {
  const { namespace } = connection
  const state = await connection.check()
  const isWell = state.status === 'healthy'
  const workers = isWell ? await pollersOf(connection, taskQueue).catch(() => []) : []
  const builds = isWell ? await buildsOf(connection, store, workers).catch(() => []) : []
  return { address, namespace, taskQueue, state, workers, builds }
}

function pollersOf({ connection, namespace }: TemporalConnection, taskQueue: string): Promise<Poller[]> {
  const { workflowService } = connection
  return connection.withDeadline(Date.now() + askMs, () =>
    readPollers({ workflowService, namespace, taskQueue }),
  )
}

async function buildsOf(
  { connection, namespace }: TemporalConnection,
  store: Store,
  workers: readonly Poller[],
): Promise<BuildStatus[]> {
  const inUse = (await buildsInUse(store)).filter(({ mayHaveRuns }) => mayHaveRuns).slice(0, maxBuilds)
  const counted = await Promise.all(
    inUse.map(async ({ build: { id: build } }) => ({
      build,
      runs: await countRunsOf(connection, namespace, build),
      hasWorker: isServed(build, workers, Date.now()),
    })),
  )
  return counted.filter(({ runs }) => runs > 0)
}
