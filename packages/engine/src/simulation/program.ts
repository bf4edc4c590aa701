import type { Json } from '@kyros/contract/json'
import { defineWorkflow, type StepOptions, type WorkflowContext } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'

/** What a simulated step does; it travels as the step's input, so that the definition stays in charge. */
export type StepPlan = {
  latencyMs: number
  /** So many attempts fail before one succeeds. */
  failures: number
  /** Code of those failures. */
  code: string
  /** Never settles, and obeys its signal or not: only a limit of time ends it. */
  hangs?: 'obedient' | 'deaf'
  /** Heartbeats, evenly over the latency. */
  beats?: number
  /** Returns more than an event may hold. */
  isLarge?: boolean
}

export type Op =
  | { op: 'step'; step: 'First' | 'Second' | 'Third'; plan: StepPlan; options: StepOptions }
  | { op: 'in_turn' | 'together' | 'race' | 'shield'; of: Op[] }
  | { op: 'sleep'; ms: number }
  | { op: 'signals'; count: number; timeoutMs?: number }
  /** Goes on with `rescue` after a failed step; after a cancellation with `rescue` in a shield, and then ends. */
  | { op: 'attempt'; body: Op; rescue: Op }
  | { op: 'dice' }
  | { op: 'fail' }

type AnyStep = StepImplementation<StepPlan, Json>
type Steps = { First: AnyStep; Second: AnyStep; Third: AnyStep }
type State = { context: WorkflowContext<Steps>; signals: Json[]; shielded: boolean; shields: number }

/** A workflow that is told in its input what to do: a random program makes a random workflow. */
export const program = defineWorkflow<Steps>()({
  name: 'program',
  version: '1.0.0',
  run: async (context, input: Op) => {
    const state: State = { context, signals: [], shielded: false, shields: 0 }
    context.onSignal('go', (payload) => void state.signals.push(payload))
    return { result: await perform(state, input), signals: state.signals }
  },
})

async function perform(state: State, op: Op): Promise<Json> {
  const { context, signals } = state
  switch (op.op) {
    case 'step': {
      // The model allows after a cancellation what has such a key.
      const key = state.shielded ? { key: `shielded-${++state.shields}` } : {}
      return context.step[op.step](op.plan, { ...op.options, ...key })
    }
    case 'in_turn':
      return inTurn(state, op.of)
    case 'together':
      return Promise.all(op.of.map((one) => perform(state, one)))
    case 'race':
      return Promise.race(op.of.map((one) => perform(state, one)))
    case 'shield':
      return context.shield(() =>
        inTurn({ ...state, shielded: true, shields: 1000 * ++state.shields }, op.of),
      )
    case 'sleep':
      await context.sleep(op.ms)
      return op.ms
    case 'signals':
      return context.condition(() => signals.length >= op.count, op.timeoutMs)
    case 'attempt':
      return attempt(state, op.body, op.rescue)
    case 'dice':
      return [context.now(), context.random(), context.uuid()]
    case 'fail':
      throw Object.assign(new Error('The program ends here.'), {
        name: 'WorkflowFailure',
        code: 'program_failed',
      })
  }
}

async function inTurn(state: State, ops: readonly Op[]): Promise<Json> {
  const results: Json[] = []
  for (const one of ops) results.push(await perform(state, one))
  return results
}

async function attempt(state: State, body: Op, rescue: Op): Promise<Json> {
  try {
    return await perform(state, body)
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    if (name === 'StepFailure') return perform(state, rescue)
    if (name === 'Cancelled') await perform(state, { op: 'shield', of: [rescue] })
    throw error
  }
}
