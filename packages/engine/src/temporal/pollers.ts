import type { WorkflowService } from '@temporalio/client'

/** A worker that asked the cluster for work in the last five minutes. */
export type Poller = { identity: string; build: string | null; lastSeenMs: number | null }

export type PollersAsked = {
  workflowService: Pick<WorkflowService, 'describeTaskQueue'>
  namespace: string
  taskQueue: string
}

// Of temporal.api.enums.v1: TASK_QUEUE_TYPE_WORKFLOW.
const workflowQueue = 1
/** One that waits for work asks again every minute. */
const freshMs = 90_000

/** Whoever asks the task queue for turns of runs. */
export async function readPollers({
  workflowService,
  namespace,
  taskQueue,
}: PollersAsked): Promise<Poller[]> {
  const asked = { namespace, taskQueue: { name: taskQueue }, taskQueueType: workflowQueue }
  const { pollers } = await workflowService.describeTaskQueue(asked)
  return (pollers ?? []).map(({ identity, deploymentOptions, lastAccessTime }) => ({
    identity: identity ?? '',
    build: deploymentOptions?.buildId || null,
    lastSeenMs: lastAccessTime?.seconds == null ? null : Number(lastAccessTime.seconds) * 1000,
  }))
}

/** Whether somebody serves the build; a worker that died counts for a while. */
export function isServed(buildId: string, pollers: readonly Poller[], nowMs: number): boolean {
  return pollers.some(({ build, lastSeenMs }) => build === buildId && nowMs - (lastSeenMs ?? 0) < freshMs)
}
