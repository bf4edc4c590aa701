import type { Json, JsonObject } from '@kyros/contract/json'
import {
  defineWorkflow,
  isNamed,
  type StepOptions,
  type WorkflowConcurrency,
  type WorkflowContext,
} from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'
import { limits } from './limits.ts'

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
  /** Of a waitpoint: the step hands it to somebody who may answer. */
  token?: string
}

export type Op =
  | { op: 'step'; step: 'First' | 'Second' | 'Third'; plan: StepPlan; options: StepOptions }
  | { op: 'in_turn' | 'together' | 'race' | 'shield' | 'saga'; of: Op[] }
  | { op: 'sleep'; ms: number }
  | { op: 'signals'; count: number; timeoutMs?: number }
  /** Goes on with `rescue` after a failed step; after a cancellation with `rescue` in a shield, and then ends. */
  | { op: 'attempt'; body: Op; rescue: Op }
  | { op: 'scope'; timeoutMs: number; body: Op }
  | { op: 'waitpoint'; timeoutMs?: number; hand: StepPlan }
  | { op: 'child'; input: Op; parentClose: 'request_cancel' | 'cancel' | 'abandon' }
  | { op: 'dice' | 'attributes' }
  | { op: 'patch'; id: string }
  | { op: 'fail' }
  /** The whole program and no part of one: `first`, and then everything anew with `next`. */
  | { op: 'then'; first: Op; next: Op }
  | { op: 'rounds'; count: number; body: Op }

type AnyStep = StepImplementation<StepPlan, Json>
type Steps = { First: AnyStep; Second: AnyStep; Third: AnyStep }
type State = {
  context: WorkflowContext<Steps>
  signals: Json[]
  shielded: boolean
  counts: { shields: number }
}

/** Told in its input what to do: a random program makes a random workflow. */
export async function runProgram(context: WorkflowContext<Steps>, input: Op): Promise<Json> {
  const state: State = { context, signals: [], shielded: false, counts: { shields: 0 } }
  context.onSignal('go', (payload) => void state.signals.push(payload))
  context.onQuery('signals', () => state.signals.length)
  context.onUpdate(
    'ask',
    async (payload) => {
      state.signals.push(payload)
      if (Number(payload) % 2 === 0) await context.step.First(quick, { retry: { maxAttempts: 2 } })
      return { answers: payload }
    },
    (payload) => {
      if (Number(payload) % 7 === 0) throw new Error('Not this one.')
    },
  )
  if (input.op === 'then') {
    await perform(state, input.first)
    return context.continueAsNew(plain(input.next))
  }
  if (input.op === 'rounds') return rounds(state, input)
  return { result: await perform(state, input), signals: state.signals }
}

const quick: StepPlan = { latencyMs: 20, failures: 0, code: 'flaky' }

export const program = defineWorkflow<Steps>()({ name: 'program', version: '1.0.0', run: runProgram })

/** What a later deploy brings; it does the same. */
export const programNext = defineWorkflow<Steps>()({ name: 'program', version: '2.0.0', run: runProgram })

/** The same, of which only two may be under way at once. */
export const queued = limited('queued', limits.queued)
/** One, and one more is not accepted. */
export const refuser = limited('refuser', limits.refuser)
/** One, which makes room for a newer one. */
export const replacer = limited('replacer', limits.replacer)
/** One, and a newer one is cancelled. */
export const keeper = limited('keeper', limits.keeper)

function limited(name: string, concurrency: WorkflowConcurrency<Op>) {
  return defineWorkflow<Steps>()({ name, version: '1.0.0', concurrency, run: runProgram })
}

// Border cast: an Op is plain data; the optional fields of its type are absent and never undefined.
const plain = (op: Op) => op as unknown as JsonObject

async function rounds(state: State, { count, body }: Extract<Op, { op: 'rounds' }>): Promise<Json> {
  return state.context.loop<{ round: number }, number>({ round: 0 }, async ({ round }) => {
    await perform(state, body)
    return round + 1 < count ? { next: { round: round + 1 } } : { done: round }
  })
}

async function perform(state: State, op: Op): Promise<Json> {
  const { context, signals } = state
  switch (op.op) {
    case 'step':
      return context.step[op.step](op.plan, { ...op.options, ...keyIn(state) })
    case 'in_turn':
      return inTurn(state, op.of)
    case 'together':
      return Promise.all(op.of.map((one) => perform(state, one)))
    case 'race':
      return Promise.race(op.of.map((one) => perform(state, one)))
    case 'shield':
      return context.shield(() => inTurn({ ...state, shielded: true }, op.of))
    case 'sleep':
      await context.sleep(op.ms)
      return op.ms
    case 'signals':
      return context.condition(() => signals.length >= op.count, op.timeoutMs)
    case 'dice':
      return [context.now(), context.random(), context.uuid()]
    case 'attributes':
      context.attributes({ seen: signals.length })
      return null
    case 'patch':
      return context.patch(op.id)
    case 'fail':
      throw Object.assign(new Error('The program ends here.'), {
        name: 'WorkflowFailure',
        code: 'program_failed',
      })
    default:
      return performWait(state, op)
  }
}

/** The model allows after a cancellation what has such a key. */
function keyIn({ shielded, counts }: State): { key?: string } {
  return shielded ? { key: `shielded-${++counts.shields}` } : {}
}

async function performWait(state: State, op: Op): Promise<Json> {
  const { context } = state
  switch (op.op) {
    case 'attempt':
      return attempt(state, op.body, op.rescue)
    case 'saga':
      return context.saga(async ({ compensate }) => {
        for (const one of op.of) {
          compensate(() => context.step.Third(quick, keyIn({ ...state, shielded: true })))
          await perform(state, one)
        }
        return op.of.length
      })
    case 'scope':
      return orNull(['ScopeTimedOut'], () =>
        context.scope({ timeoutMs: op.timeoutMs }, () => perform(state, op.body)),
      )
    case 'waitpoint': {
      const limit = op.timeoutMs === undefined ? {} : { timeoutMs: op.timeoutMs }
      const { token, completed } = context.waitpoint('answer', limit)
      const answered = orNull(['WaitpointExpired'], () => completed)
      answered.catch(() => {})
      await context.step.Second({ ...op.hand, token }, keyIn(state))
      return answered
    }
    case 'child':
      return orNull(['ChildFailure'], () =>
        context.child('program', plain(op.input), { parentClose: op.parentClose, timeoutSeconds: 120 }),
      )
    default:
      throw new TypeError(`A program cannot do ${op.op} here.`)
  }
}

async function orNull(
  names: readonly ('ScopeTimedOut' | 'WaitpointExpired' | 'ChildFailure')[],
  body: () => Promise<Json>,
): Promise<Json> {
  try {
    return await body()
  } catch (error) {
    if (names.some((name) => isNamed(error, name))) return null
    throw error
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
    if (isNamed(error, 'StepFailure')) return perform(state, rescue)
    if (isNamed(error, 'Cancelled')) await perform(state, { op: 'shield', of: [rescue] })
    throw error
  }
}
