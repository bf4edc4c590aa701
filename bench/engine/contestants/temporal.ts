import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import type { Contestant, Loop } from '../answers.ts'
import { closedLoop } from '../closed-loop.ts'
import { measureLatency } from '../latency.ts'

export type TemporalOptions = { address: string; taskQueue: string }

/** Plain Temporal code: each workflow is started by its id and awaited until its result is there. */
export async function open({ address, taskQueue }: TemporalOptions): Promise<Contestant> {
  const connection = await Connection.connect({ address })
  const { workflow } = new Client({ connection })
  const run = async (name: string, input: number, result: number) => {
    const answer: number = await workflow.execute(name, {
      workflowId: randomUUID(),
      taskQueue,
      args: [input],
    })
    if (answer !== result) throw new Error(`Temporal answered ${answer}`)
  }
  return {
    methods: {
      saturate: (loop: Loop) => closedLoop(() => run('threeSteps', 1, 4), loop),
      latency: (params: { pairs: number }) => measureLatency((steps) => run('chain', steps, steps), params),
    },
    close: () => connection.close(),
  }
}
