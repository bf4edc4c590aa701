// What runs while a process is killed or a disk loses power: one workflow for each promise that is checked.
import type { Json } from '@kyros/contract/json'
import { Cancelled, defineWorkflow } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'

export type LoadSteps = {
  /** One more than the input, at the attempt that `failures` leaves. */
  Add: StepImplementation<{ value: number; failures?: number }, number>
  /** So many characters: above 64 KB the output becomes a blob. */
  Write: StepImplementation<{ chars: number }, string>
  CleanUp: StepImplementation<null, null>
}

const define = defineWorkflow<LoadSteps>()
const version = '1.0.0'
const retry = { maxAttempts: 5, initialMs: 5, maxMs: 20 } as const

export const ordered = define({
  name: 'ordered',
  version,
  run: async ({ step }, input: { value: number }) => {
    const first = await step.Add({ value: input.value })
    const second = await step.Add({ value: first })
    const third = await step.Add({ value: second })
    return [first, second, third]
  },
})

export const fanned = define({
  name: 'fanned',
  version,
  run: async ({ step }, input: { value: number }) => {
    const values = await Promise.all([1, 2, 3, 4].map((one) => step.Add({ value: input.value * one })))
    return step.Add({ value: values.reduce((sum, value) => sum + value, 0) })
  },
})

export const retried = define({
  name: 'retried',
  version,
  run: async ({ step }, input: { value: number }) => {
    const first = await step.Add({ value: input.value, failures: 2 }, { retry })
    return step.Add({ value: first, failures: 1 }, { retry })
  },
})

export const timed = define({
  name: 'timed',
  version,
  run: async ({ step, sleep }, input: { value: number; ms: number }) => {
    const first = await step.Add({ value: input.value })
    await sleep(input.ms)
    return step.Add({ value: first })
  },
})

export const collecting = define({
  name: 'collecting',
  version,
  run: async ({ step, onSignal, condition }, input: { value: number }) => {
    const items: Json[] = []
    let isClosed = false
    onSignal('add', (item) => void items.push(item))
    onSignal('close', () => {
      isClosed = true
    })
    await condition(() => isClosed)
    await step.Add({ value: input.value })
    return items
  },
})

/** Goes on as new after every signal, so that signals come before, between and after its parts. */
export const relayed = define({
  name: 'relayed',
  version,
  run: async ({ step, onSignal, condition, continueAsNew }, input: { value: number; items?: Json[] }) => {
    const items = [...(input.items ?? [])]
    const before = items.length
    let isClosed = false
    onSignal('add', (item) => void items.push(item))
    onSignal('close', () => {
      isClosed = true
    })
    await condition(() => isClosed || items.length > before)
    if (!isClosed) return continueAsNew({ value: input.value, items })
    await step.Add({ value: input.value })
    return items
  },
})

export const parented = define({
  name: 'parented',
  version,
  run: async ({ step, child }, input: { value: number }) => {
    const both = [input.value, input.value + 10]
    const results = await Promise.all(both.map((value) => child<number[]>('ordered', { value })))
    return step.Add({ value: results.flat().reduce((sum, value) => sum + value, 0) })
  },
})

export const large = define({
  name: 'large',
  version,
  run: async ({ step }, input: { value: number; chars: number }) => {
    const text = await step.Write({ chars: input.chars })
    return step.Add({ value: text.length })
  },
})

export const cancelled = define({
  name: 'cancelled',
  version,
  run: async ({ step, sleep, shield }, input: { value: number }) => {
    try {
      await step.Add({ value: input.value })
      await sleep(600_000)
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error
      await shield(() => step.CleanUp(null))
      throw error
    }
    return 'was not cancelled'
  },
})

/** Takes values until somebody answers; meanwhile it is paused and resumed. */
export const asked = define({
  name: 'asked',
  version,
  run: async ({ step, onUpdate, waitpoint }, input: { value: number }) => {
    const items: Json[] = []
    onUpdate('add', async (item) => {
      items.push(item)
      const count = items.length
      await step.Add({ value: count })
      return count
    })
    const approval = waitpoint('approval')
    await step.Add({ value: input.value })
    const answer = await approval.completed
    return [...items, answer]
  },
})
