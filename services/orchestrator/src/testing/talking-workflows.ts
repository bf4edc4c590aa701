import type { Json } from '@kyros/contract/json'
import { defineWorkflow, WorkflowFailure } from '@kyros/workflows/define'

type Steps = {
  Tell: (input: { text: string }) => Promise<{ told: string }>
  Spread: (input: { link: string }) => Promise<{ link: string }>
  Work: (input: { name: string }) => Promise<{ name: string }>
}

/** Asks for an answer, is asked and changed, and tells its steps what it was told. */
export const talk = defineWorkflow<Steps>()({
  name: 'talk',
  version: '1.0.0',
  run: async ({ step, onQuery, onUpdate, waitpoint }) => {
    let limit = 1
    onQuery('limit', () => limit)
    onQuery('large', () => 'x'.repeat(1_100_000))
    onQuery('broken', () => {
      throw new Error('no answer')
    })
    onUpdate(
      'setLimit',
      async (next: Json) => {
        if (next === 13) throw new WorkflowFailure('limit_unlucky', 'Thirteen is no limit.')
        const before = limit
        limit = Number(next)
        return { before }
      },
      (next: Json) => {
        if (!(Number(next) > 0)) throw new Error('the limit must be positive')
      },
    )
    onUpdate('buggy', async () => {
      throw new TypeError('x is not a function')
    })
    const approval = waitpoint<{ ok: boolean }>('approve', { title: 'Ship it?' })
    await step.Tell({ text: approval.token })
    const { ok } = await approval.completed
    return { ok, limit }
  },
})

/** Hands its token to a step that spreads it wherever steps can write. */
export const spread = defineWorkflow<Steps>()({
  name: 'spread',
  version: '1.0.0',
  run: async ({ step, onQuery, waitpoint }) => {
    const first = waitpoint<{ ok: boolean }>('approve', { title: 'Ship it?' })
    const link = `https://example.org/answer/${first.token}?by=mail`
    onQuery('link', () => ({ link }))
    await step.Spread({ link })
    const second = waitpoint<{ ok: boolean }>('again', { title: `After ${first.token}` })
    onQuery('second', () => second.token)
    await second.completed
    return { link }
  },
})

/** Two steps, one after the other. */
export const twice = defineWorkflow<Steps>()({
  name: 'twice',
  version: '1.0.0',
  run: async ({ step }, input: { name: string }) => {
    const first = await step.Work({ name: input.name })
    return step.Work({ name: `${first.name}!` }, { key: 'Again' })
  },
})

/** As many steps as it is told, one after the other, with their numbers as keys. */
export const march = defineWorkflow<Steps>()({
  name: 'march',
  version: '1.0.0',
  run: async ({ step }, { steps }: { steps: number }) => {
    for (let number = 1; number <= steps; number++) await step.Work({ name: '' }, { key: `step-${number}` })
    return steps
  },
})

/** At most one at a time; one more is refused. */
export const single = defineWorkflow<Steps>()({
  name: 'single',
  version: '1.0.0',
  concurrency: { limit: 1, onConflict: 'reject' },
  run: async ({ sleep }) => {
    await sleep(3_600_000)
    return null
  },
})
