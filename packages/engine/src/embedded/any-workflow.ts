import type { Json } from '@kyros/contract/json'
import type { WorkflowContext } from '@kyros/workflows/define'
import { failureOf } from '@kyros/workflows/failures'
import fc from 'fast-check'

/** A workflow as data, so that tests can make up any. */
export type Op =
  | { op: 'step' | 'child' | 'waitpoint' | 'patch'; name: string }
  | { op: 'sleep' | 'attributes' | 'cancel_scope' }
  | { op: 'condition'; signals: number; timed: boolean }
  | { op: 'all' | 'race'; branches: Op[][] }
  | { op: 'scope'; timed: boolean; body: Op[] }
  | { op: 'shield' | 'saga' | 'catching'; body: Op[] }

const name = fc.constantFrom('A', 'B')
const leaf: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('step' as const), name }) },
  fc.record({ op: fc.constantFrom('child' as const, 'waitpoint' as const, 'patch' as const), name }),
  fc.record({ op: fc.constantFrom('sleep' as const, 'attributes' as const, 'cancel_scope' as const) }),
  fc.record({ op: fc.constant('condition' as const), signals: fc.nat(2), timed: fc.boolean() }),
)

const { body } = fc.letrec<{ body: Op[]; op: Op }>((tie) => ({
  body: fc.array(tie('op'), { maxLength: 4 }),
  op: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: leaf },
    fc.record({
      op: fc.constantFrom('all' as const, 'race' as const),
      branches: fc.array(tie('body'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant('scope' as const), timed: fc.boolean(), body: tie('body') }),
    fc.record({
      op: fc.constantFrom('shield' as const, 'saga' as const, 'catching' as const),
      body: tie('body'),
    }),
  ),
}))

/** Any workflow: nested scopes, sagas, races, every kind of wait. */
export const anyWorkflow: fc.Arbitrary<Op[]> = body

type Context = WorkflowContext<{ [step: string]: (input: Json) => Promise<Json> }>
type State = { context: Context; signals: number; trace: Json[]; cancelScope: () => void }

/** Executes a workflow that is data; what it saw on its way is the result. */
export async function performWorkflow(context: Context, ops: readonly Op[]): Promise<Json> {
  const state: State = { context, signals: 0, trace: [], cancelScope: () => {} }
  context.onSignal('go', () => {
    state.signals += 1
  })
  context.onUpdate('ask', (payload) => context.step.U?.(payload))
  await performAll(state, ops)
  return state.trace
}

async function performAll(state: State, ops: readonly Op[]): Promise<void> {
  for (const op of ops) state.trace.push([op.op, (await perform(state, op)) ?? null])
}

async function perform(state: State, op: Op): Promise<Json | undefined> {
  const { context } = state
  switch (op.op) {
    case 'step':
      return context.step[op.name]?.({ trace: state.trace.length })
    case 'child':
      return context.child(op.name, null)
    case 'waitpoint':
      return context.waitpoint(op.name, { timeoutMs: 5 }).completed
    case 'patch':
      return context.patch(op.name)
    case 'sleep':
      await context.sleep(10)
      return context.now()
    case 'attributes':
      context.attributes({ at: state.trace.length })
      return context.random()
    case 'cancel_scope':
      state.cancelScope()
      return undefined
    case 'condition': {
      const wanted = state.signals + op.signals
      return context.condition(() => state.signals >= wanted, op.timed ? 5 : undefined)
    }
    default:
      return performNested(state, op)
  }
}

type Nested = Extract<Op, { op: 'all' | 'race' | 'scope' | 'shield' | 'saga' | 'catching' }>

async function performNested(state: State, op: Nested): Promise<Json | undefined> {
  const { context } = state
  switch (op.op) {
    case 'all':
      await Promise.all(op.branches.map((branch) => performAll(state, branch)))
      return undefined
    case 'race':
      await Promise.race(op.branches.map((branch) => performAll(state, branch)))
      return undefined
    case 'scope':
      await context.scope(op.timed ? { timeoutMs: 5 } : {}, async (scope) =>
        performAll({ ...state, cancelScope: () => scope.cancel() }, op.body),
      )
      return undefined
    case 'shield':
      await context.shield(() => performAll(state, op.body))
      return undefined
    case 'saga':
      await context.saga(async ({ compensate }) => {
        for (const part of op.body) {
          compensate(async () => context.step.Undo?.(part.op))
          await performAll(state, [part])
        }
      })
      return undefined
    case 'catching':
      return performAll(state, op.body).then(
        () => 'well',
        (error: unknown) => failureOf(error)?.code ?? String(error),
      )
  }
}
