import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import { Cluster } from './cluster.ts'

test('whoever is told to stop before a history is asked for does not wait for news of it', async () => {
  let asked = 0
  const connection = {
    withDeadline: (_untilMs: number, call: () => Promise<unknown>) => call(),
    withAbortSignal: (_signal: AbortSignal, call: () => Promise<unknown>) => call(),
  }
  const getWorkflowExecutionHistory = () => {
    asked += 1
    return new Promise(() => {})
  }
  // Border cast: as much of a client as reading a history needs.
  const client = { connection, workflowService: { getWorkflowExecutionHistory } } as unknown as Client
  const cluster = new Cluster({ client: async () => client, namespace: 'default', taskQueue: 'queue' })
  const reading = cluster.history({ workflowId: 'run' }, undefined, true, AbortSignal.abort())
  await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
  expect(asked).toBe(0)
})
