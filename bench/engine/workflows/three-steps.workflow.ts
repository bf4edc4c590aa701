import { defineWorkflow } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'

type Steps = {
  First: StepImplementation<number, number>
  Second: StepImplementation<number, number>
  Third: StepImplementation<number, number>
}

/** The workload that every engine runs: three trivial steps, one after the other, each durable. */
export const workflow = defineWorkflow<Steps>()({
  name: 'three_steps',
  version: '1.0.0',
  run: async ({ step }, input: number) => step.Third(await step.Second(await step.First(input))),
})
