import { defineWorkflow } from '@kyros/workflows/define'

type Steps = {
  Greet: (input: { name: string }) => Promise<{ greeting: string }>
  Fill: (input: { bytes: number }) => Promise<{ text: string }>
  Hang: (input: Record<string, never>) => Promise<Record<string, never>>
  Break: (input: Record<string, never>) => Promise<Record<string, never>>
}

/** One step, and its output as the result. */
export const greet = defineWorkflow<Steps>()({
  name: 'greet',
  version: '1.0.0',
  run: async ({ step }, input: { name: string }) => step.Greet({ name: input.name }),
})

/** Waits until somebody sends the signal `go`. */
export const hold = defineWorkflow<Steps>()({
  name: 'hold',
  version: '1.0.0',
  run: async (context) => {
    let payload: unknown = null
    let isHeld = true
    context.onSignal('go', (sent) => {
      payload = sent
      isHeld = false
    })
    await context.condition(() => !isHeld)
    return { payload }
  },
})

/** A result that is too large for an event. */
export const fill = defineWorkflow<Steps>()({
  name: 'fill',
  version: '1.0.0',
  run: async ({ step }, input: { bytes: number }) => step.Fill(input),
})

/** Runs until it is told to stop. */
export const hang = defineWorkflow<Steps>()({
  name: 'hang',
  version: '1.0.0',
  run: async ({ step }) => step.Hang({}),
})

/** Fails for good in its only step, after one more try. */
export const fault = defineWorkflow<Steps>()({
  name: 'fault',
  version: '1.0.0',
  run: async ({ step }) => step.Break({}, { retry: { maxAttempts: 2, initialMs: 1 } }),
})
