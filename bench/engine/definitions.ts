import { defineWorkflow } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'

/** Each step is trivial: what is measured is what an engine does around it. */
type BenchSteps = {
  First: StepImplementation<number, number>
  Second: StepImplementation<number, number>
  Third: StepImplementation<number, number>
}

const define = defineWorkflow<BenchSteps>()
const version = '1.0.0'

/** As many steps as the input says, one after the other. */
export const chain = define({
  name: 'chain',
  version,
  run: async ({ step }, input: number) => {
    for (let index = 0; index < input; index++) await step.First(index)
    return input
  },
})

/** Starts and ends. */
export const empty = define({ name: 'empty', version, run: async (_context, input: number) => input })

const dayMs = 24 * 60 * 60_000

/** A step, a day of sleep, and two more steps. */
export const sleeper = define({
  name: 'sleeper',
  version,
  run: async ({ step, sleep }, input: number) => {
    const first = await step.First(input)
    await sleep(dayMs)
    return step.Third(await step.Second(first))
  },
})
