import { setTimeout as delay } from 'node:timers/promises'
import type { StepContext, StepImplementation } from '@kyros/workflows/step-context'
import { planned } from './plan.ts'
import type { Random } from './random.ts'
import type { Record } from './records.ts'
import type { LoadSteps } from './workflows.ts'

const longestStepMs = 12

/** The same steps for every workflow; each call is written down before it does anything. */
export function createSteps(note: (record: Record) => void, random: Random, nowMs: () => number) {
  const begin = async (context: StepContext) => {
    const { runId: run, idempotencyKey, attempt } = context
    const key = idempotencyKey.slice(run.length + 1)
    note({ kind: 'effect', run, key, attempt, timeMs: nowMs() })
    // Some end in the same turn, some while the process is being killed.
    const ms = random.integer(0, longestStepMs)
    if (ms > 2) await delay(ms)
  }
  const steps: { [K in keyof LoadSteps]: LoadSteps[K] } = {
    Add: withBeginning(begin, ({ value, failures = 0 }, { attempt }) => {
      if (attempt <= failures) throw new Error(`fails ${failures} times`)
      return value + 1
    }),
    Write: withBeginning(begin, ({ chars }) => 'x'.repeat(chars)),
    CleanUp: withBeginning(begin, () => null),
  }
  return Object.fromEntries(planned.map((name) => [name, steps]))
}

function withBeginning<I, O>(
  begin: (context: StepContext) => Promise<void>,
  act: (input: I, context: StepContext) => O,
): StepImplementation<I, O> {
  return async (input, context) => {
    await begin(context)
    return act(input, context)
  }
}
