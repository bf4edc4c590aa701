import type { EngineStatus } from '@kyros/contract/platform'
import type { RunEngine } from '@kyros/contract/run'
import type { ClusterStatus } from '@kyros/engine/temporal/cluster-status'
import type { EngineCount } from '@kyros/store/store'
import type { ApiContext } from '../context.ts'

type Cluster = EngineStatus['temporal']['cluster']

/** What moves runs at this moment: counts of the store, and what the cluster says where there is one. */
export async function readEngineStatus({
  store,
  engine,
  readCluster,
}: Pick<ApiContext, 'store' | 'engine' | 'readCluster'>): Promise<EngineStatus> {
  const [counts, cluster] = await Promise.all([store.runs.countByEngine(), readCluster?.()])
  const partOf = (kind: RunEngine) => ({ takes_new_runs: engine.kind === kind, runs: runsOf(counts, kind) })
  return {
    embedded: partOf('embedded'),
    temporal: {
      ...partOf('temporal'),
      waiting_for_dispatch: runsOf(counts, 'temporal').pending ?? 0,
      cluster: cluster === undefined ? null : presentCluster(cluster),
    },
  }
}

function runsOf(counts: readonly EngineCount[], kind: RunEngine): Record<string, number> {
  const own = counts.filter(({ engine }) => engine === kind)
  return Object.fromEntries(own.map(({ status, runs }) => [status, runs]))
}

function presentCluster({ address, namespace, taskQueue, state, workers, builds }: ClusterStatus): Cluster {
  return {
    ...{ address, namespace, task_queue: taskQueue, state: state.status },
    server_version: state.status === 'unknown' ? null : (state.serverVersion ?? null),
    fault: state.status === 'faulty' ? `${state.what} ${state.mend}` : null,
    workers: workers.map(({ identity, build, lastSeenMs }) => ({
      ...{ identity, build },
      last_seen_at: lastSeenMs === null ? null : new Date(lastSeenMs).toISOString(),
    })),
    builds: builds.map(({ build, runs, hasWorker }) => ({ build, runs, has_worker: hasWorker })),
  }
}
