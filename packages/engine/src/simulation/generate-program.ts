import type { Op, StepPlan } from './program.ts'
import type { Random } from './random.ts'

// Enough for a few hundred events, and few enough for a thousand seeds in half a minute.
const deepest = 3
const widest = 4

/** A random program that ends by itself unless a signal that it waits for never comes. */
export function generateProgram(random: Random, depth = 0): Op {
  const kinds = depth < deepest ? branches : leaves
  switch (random.pick(kinds)) {
    case 'in_turn':
      return { op: 'in_turn', of: several(random, depth) }
    case 'together':
      return { op: 'together', of: several(random, depth) }
    case 'race':
      return { op: 'race', of: several(random, depth) }
    case 'shield':
      return { op: 'shield', of: [step(random), generateProgram(random, deepest)] }
    case 'attempt':
      return { op: 'attempt', body: generateProgram(random, depth + 1), rescue: step(random) }
    case 'sleep':
      return { op: 'sleep', ms: random.small(0, 20_000) }
    case 'signals': {
      const timeoutMs = random.chance(0.7) ? { timeoutMs: random.small(0, 20_000) } : {}
      return { op: 'signals', count: random.int(1, 3), ...timeoutMs }
    }
    case 'dice':
      return { op: 'dice' }
    case 'fail':
      return random.chance(0.3) ? { op: 'fail' } : step(random)
    default:
      return step(random)
  }
}

const leaves = ['step', 'step', 'step', 'step', 'sleep', 'signals', 'dice', 'fail'] as const
const branches = [
  'in_turn',
  'in_turn',
  'in_turn',
  'together',
  'together',
  'race',
  'shield',
  'attempt',
  'step',
] as const

function several(random: Random, depth: number): Op[] {
  return Array.from({ length: random.int(1, widest) }, () => generateProgram(random, depth + 1))
}

function step(random: Random): Op {
  const plan: StepPlan = {
    latencyMs: random.small(0, 3000),
    failures: random.chance(0.7) ? 0 : random.int(1, 4),
    code: random.pick(['flaky', 'flaky', 'input_bad']),
  }
  const isLimited = random.chance(0.3)
  if (isLimited && random.chance(0.3)) plan.hangs = random.pick(['obedient', 'deaf'])
  if (random.chance(0.03)) plan.isLarge = true
  const beats = isLimited && random.chance(0.3)
  if (beats) plan.beats = random.int(0, 4)
  const retry = {
    maxAttempts: random.int(1, 4),
    initialMs: random.small(1, 4000),
    nonRetryable: random.chance(0.3) ? ['input_bad'] : [],
  }
  const options = {
    retry,
    ...(isLimited ? { startToCloseMs: random.int(50, 5000) } : {}),
    ...(beats ? { heartbeatMs: random.int(50, 2000) } : {}),
  }
  return { op: 'step', step: random.pick(['First', 'Second', 'Third']), plan, options }
}
