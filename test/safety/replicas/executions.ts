import { connectTemporal, type TemporalConnection } from '@kyros/engine/temporal/connection'
import { systemClock } from '@kyros/kernel/clock'
import type { Record } from '../load/records.ts'
import type { Findings } from '../model/findings.ts'

export type ClusterPlace = { address: string; taskQueue: string }

/** Of temporal.api.enums.v1: WORKFLOW_EXECUTION_STATUS_COMPLETED. */
const completed = 2

/** On the cluster every run whose start was acknowledged is there, once, and completed. */
export async function checkExecutions(
  { address, taskQueue }: ClusterPlace,
  records: readonly Record[],
  findings: Findings,
): Promise<void> {
  const cluster = connectTemporal({ address, namespace: 'default' }, { clock: systemClock, log: () => {} })
  const counts = new Map<string, number>()
  try {
    for await (const { run, status } of executions(cluster, taskQueue)) {
      counts.set(run, (counts.get(run) ?? 0) + 1)
      if (status !== completed) findings.wrong.push(`run ${run} has the status ${status} on the cluster`)
    }
  } finally {
    await cluster.close()
  }
  for (const [run, count] of counts) {
    if (count > 1) findings.doubled.push(`run ${run} is on the cluster ${count} times`)
  }
  for (const record of records) {
    if (record.kind !== 'start' || counts.has(record.run)) continue
    findings.lost.push(`run ${record.run} was acknowledged and is not on the cluster`)
  }
}

/** Without the client's own list, which wants to read what is encrypted. */
async function* executions({ client, namespace }: TemporalConnection, taskQueue: string) {
  let nextPageToken: Uint8Array | undefined
  do {
    const page = await client.workflowService.listWorkflowExecutions({
      ...{ namespace, pageSize: 500, query: `TaskQueue = "${taskQueue}"` },
      ...(nextPageToken && { nextPageToken }),
    })
    for (const { execution, status } of page.executions) yield { run: execution?.workflowId ?? '', status }
    nextPageToken = page.nextPageToken.length > 0 ? page.nextPageToken : undefined
  } while (nextPageToken !== undefined)
}
