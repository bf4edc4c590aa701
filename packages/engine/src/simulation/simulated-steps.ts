import type { Json } from '@kyros/contract/json'
import type { StepContext } from '@kyros/workflows/step-context'
import type { Effect } from './model.ts'
import type { StepPlan } from './program.ts'
import type { Random } from './random.ts'
import type { Life, Scheduler } from './scheduler.ts'

export type ObservedEffect = { -readonly [K in keyof Effect]: Effect[K] } & { runId: string }

export type StepWorld = {
  scheduler: Scheduler
  random: Random
  /** Last `run_seq` of a run that is on disk. */
  runSeqOf: (runId: string) => number | undefined
  /** Every call of every life, in order. */
  effects: ObservedEffect[]
  /** Somebody was handed the token of a waitpoint. */
  onToken: (runId: string, token: string) => void
}

export type SimulatedStep = (input: unknown, context: StepContext) => Promise<Json>

/** Implementations of one life. What they return is unlike what any other call returns. */
export function createSimulatedStep(world: StepWorld, life: Life): SimulatedStep {
  const { scheduler, effects } = world
  return async (input, context) => {
    const { runId, attempt } = context
    const key = context.idempotencyKey.slice(runId.length + 1)
    const afterRunSeq = world.runSeqOf(runId)
    const effect: ObservedEffect = {
      runId,
      key,
      attempt,
      ...(afterRunSeq === undefined ? {} : { afterRunSeq }),
    }
    const number = effects.push(effect)
    scheduler.note(`${life.name} calls ${runId.slice(-4)} ${key} attempt ${attempt} after #${afterRunSeq}`)
    const plan = isPlan(input) ? input : improvise(world.random, context)
    await perform(scheduler, life, plan, context)
    if (plan.token !== undefined) world.onToken(runId, plan.token)
    const output: Json = {
      call: number,
      of: key,
      ...(plan.isLarge === true ? { filling: 'x'.repeat(70_000) } : {}),
    }
    effect.output = output
    return output
  }
}

async function perform(
  scheduler: Scheduler,
  life: Life,
  plan: StepPlan,
  context: StepContext,
): Promise<void> {
  const { signal } = context
  if (plan.hangs === 'deaf') return new Promise(() => {})
  const beats = plan.beats ?? 0
  for (let beat = 0; beat <= beats; beat++) {
    if (plan.hangs === 'obedient') await aborted(signal)
    await wait(scheduler, life, plan.latencyMs / (beats + 1), signal)
    if (beat < beats) context.heartbeat({ beat })
  }
  if (context.attempt <= plan.failures) {
    throw Object.assign(new Error(`Attempt ${context.attempt} fails as planned.`), { code: plan.code })
  }
}

function wait(scheduler: Scheduler, life: Life, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(ms, 'works', resolve, life)
    signal.addEventListener('abort', () => {
      cancel()
      reject(signal.reason)
    })
  })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

/** For definitions whose steps take something else than a plan. */
function improvise(random: Random, { log }: StepContext): StepPlan {
  if (random.chance(0.1)) log('info', 'The step says something.')
  return {
    latencyMs: random.small(0, 1000),
    failures: random.chance(0.9) ? 0 : random.int(1, 3),
    code: random.pick(['flaky', 'input_bad']),
    ...(random.chance(0.2) ? { beats: random.int(1, 3) } : {}),
  }
}

function isPlan(input: unknown): input is StepPlan {
  return typeof input === 'object' && input !== null && 'latencyMs' in input && 'failures' in input
}
