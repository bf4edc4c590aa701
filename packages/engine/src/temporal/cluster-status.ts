import type { TemporalConnection } from './connection.ts'
import type { TemporalState } from './temporal-problem.ts'

/** A worker that asked the cluster for work in the last five minutes. */
export type Poller = { identity: string; build: string | null; lastSeenMs: number | null }

export type ClusterStatus = {
  address: string
  namespace: string
  taskQueue: string
  state: TemporalState
  workers: Poller[]
}

const askMs = 3_000
// Of temporal.api.enums.v1: TASK_QUEUE_TYPE_WORKFLOW.
const workflowQueue = 1

/** What the cluster is and who polls it, as of now. Never rejects; without an answer nobody polls. */
export async function readClusterStatus(
  connection: TemporalConnection,
  { address, taskQueue }: { address: string; taskQueue: string },
): Promise<ClusterStatus> {
  const { namespace } = connection
  const state = await connection.check()
  const workers = state.status === 'healthy' ? await pollersOf(connection, taskQueue).catch(() => []) : []
  return { address, namespace, taskQueue, state, workers }
}

async function pollersOf({ connection, namespace }: TemporalConnection, name: string): Promise<Poller[]> {
  const asked = { namespace, taskQueue: { name }, taskQueueType: workflowQueue }
  const { pollers } = await connection.withDeadline(Date.now() + askMs, () =>
    connection.workflowService.describeTaskQueue(asked),
  )
  return (pollers ?? []).map(({ identity, deploymentOptions, lastAccessTime }) => ({
    identity: identity ?? '',
    build: deploymentOptions?.buildId || null,
    lastSeenMs: lastAccessTime?.seconds == null ? null : Number(lastAccessTime.seconds) * 1000,
  }))
}
