import { join } from 'node:path'
import { OpenWorkflow } from 'openworkflow'
import { BackendSqlite } from 'openworkflow/sqlite'
import type { Contestant, Loop } from '../answers.ts'
import { closedLoop } from '../closed-loop.ts'

/** openworkflow on SQLite, worker and client in this process. Its worker gets as many slots as there are workflows. */
export async function open(options: { dir: string; slots: number }): Promise<Contestant> {
  const backend = BackendSqlite.connect(join(options.dir, 'openworkflow.db'))
  const client = new OpenWorkflow({ backend })
  const addOne = async (input: number) => input + 1
  const threeSteps = client.defineWorkflow<number, number>(
    { name: 'three_steps' },
    async ({ input, step }) => {
      const first = await step.run({ name: 'first' }, () => addOne(input))
      const second = await step.run({ name: 'second' }, () => addOne(first))
      return step.run({ name: 'third' }, () => addOne(second))
    },
  )
  const worker = client.newWorker({ concurrency: options.slots })
  await worker.start()
  const runOne = async () => (await threeSteps.run(1)).result()
  return {
    methods: { saturate: (loop: Loop) => closedLoop(runOne, loop) },
    close: async () => {
      await worker.stop()
      await backend.stop()
    },
  }
}
