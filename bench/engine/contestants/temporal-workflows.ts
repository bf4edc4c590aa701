// What Temporal's worker bundles: the workload of the bench as Temporal's documentation would write it.
import { proxyActivities } from '@temporalio/workflow'

type Activities = { addOne(input: number): Promise<number> }

const { addOne } = proxyActivities<Activities>({ startToCloseTimeout: '10 minutes' })

export async function threeSteps(input: number): Promise<number> {
  const first = await addOne(input)
  const second = await addOne(first)
  return addOne(second)
}

/** As many steps as the input says, one after the other. */
export async function chain(input: number): Promise<number> {
  for (let index = 0; index < input; index++) await addOne(index)
  return input
}
