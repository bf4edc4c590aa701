import { DBOS } from '@dbos-inc/dbos-sdk'
import type { Contestant, Loop } from '../answers.ts'
import { closedLoop } from '../closed-loop.ts'

/**
 * DBOS as its documentation starts it, in this process, on a real PostgreSQL: the workflow is called directly, which
 * is its shortest way (no queue, no polling for the result).
 */
export async function open(options: { databaseUrl: string; poolSize: number }): Promise<Contestant> {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: options.databaseUrl,
    systemDatabasePoolSize: options.poolSize,
    logLevel: 'error',
  })
  const addOne = async (input: number) => input + 1
  const threeSteps = DBOS.registerWorkflow(
    async (input: number) => {
      const first = await DBOS.runStep(() => addOne(input), { name: 'first' })
      const second = await DBOS.runStep(() => addOne(first), { name: 'second' })
      return DBOS.runStep(() => addOne(second), { name: 'third' })
    },
    { name: 'three_steps' },
  )
  await DBOS.launch()
  return {
    methods: { saturate: (loop: Loop) => closedLoop(() => threeSteps(1), loop) },
    close: () => DBOS.shutdown(),
  }
}
