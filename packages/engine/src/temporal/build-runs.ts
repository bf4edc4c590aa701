import type { WorkflowService } from '@temporalio/client'
import { deploymentName } from './builds.ts'

const askMs = 3_000

type Asked = {
  workflowService: Pick<WorkflowService, 'countWorkflowExecutions'>
  withDeadline<T>(deadline: number, ask: () => Promise<T>): Promise<T>
}

/** How many runs on the cluster have not ended and are pinned to this build; what began a second ago may be missing. */
export async function countRunsOf(connection: Asked, namespace: string, buildId: string): Promise<number> {
  const query = `ExecutionStatus = "Running" AND BuildIds = "pinned:${deploymentName}:${buildId}"`
  const { count } = await connection.withDeadline(Date.now() + askMs, () =>
    connection.workflowService.countWorkflowExecutions({ namespace, query }),
  )
  return Number(count ?? 0)
}
