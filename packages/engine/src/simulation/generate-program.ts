import type { Op, StepPlan } from './program.ts'
import type { Random } from './random.ts'

// Enough for a few hundred events, and few enough for a thousand seeds in half a minute.
const deepest = 3
const widest = 4

/** A random program that ends by itself unless a message that it waits for never comes. */
export function generateProgram(random: Random): Op {
  if (random.chance(0.1)) return { op: 'then', first: anyOp(random, 2), next: generateProgram(random) }
  if (random.chance(0.05)) return { op: 'rounds', count: random.int(1, 4), body: anyOp(random, 2) }
  return anyOp(random, 0)
}

type Kind = Op['op']
const leaves: readonly [Kind, ...Kind[]] = [
  ...(['step', 'step', 'step', 'step', 'step'] as const),
  ...(['sleep', 'signals', 'waitpoint', 'dice', 'attributes', 'patch', 'fail'] as const),
]
const branches: readonly [Kind, ...Kind[]] = [
  ...(['in_turn', 'in_turn', 'in_turn', 'together', 'together', 'race'] as const),
  ...(['shield', 'saga', 'attempt', 'scope', 'child', 'step'] as const),
]

function anyOp(random: Random, depth: number): Op {
  const kind = random.pick(depth < deepest ? branches : leaves)
  switch (kind) {
    case 'in_turn':
    case 'together':
    case 'race':
      return { op: kind, of: several(random, depth) }
    case 'saga':
      return { op: 'saga', of: several(random, depth + 1) }
    case 'shield':
      return { op: 'shield', of: [step(random), anyOp(random, deepest)] }
    case 'attempt':
      return { op: 'attempt', body: anyOp(random, depth + 1), rescue: step(random) }
    case 'scope':
      return { op: 'scope', timeoutMs: random.small(1, 8000), body: anyOp(random, depth + 1) }
    case 'child': {
      const parentClose = random.pick(['request_cancel', 'cancel', 'abandon'] as const)
      return { op: 'child', input: anyOp(random, depth + 2), parentClose }
    }
    default:
      return leaf(random, kind)
  }
}

function leaf(random: Random, kind: Kind): Op {
  switch (kind) {
    case 'sleep':
      return { op: 'sleep', ms: random.small(0, 20_000) }
    case 'signals':
      return { op: 'signals', count: random.int(1, 3), ...limit(random) }
    case 'waitpoint':
      return { op: 'waitpoint', hand: planOf(random), ...limit(random) }
    case 'dice':
    case 'attributes':
      return { op: kind }
    case 'patch':
      return { op: 'patch', id: random.pick(['one', 'two']) }
    case 'fail':
      return random.chance(0.3) ? { op: 'fail' } : step(random)
    default:
      return step(random)
  }
}

const limit = (random: Random) => (random.chance(0.7) ? { timeoutMs: random.small(0, 20_000) } : {})

function several(random: Random, depth: number): Op[] {
  return Array.from({ length: random.int(1, widest) }, () => anyOp(random, depth + 1))
}

function planOf(random: Random): StepPlan {
  return {
    latencyMs: random.small(0, 3000),
    failures: random.chance(0.7) ? 0 : random.int(1, 4),
    code: random.pick(['flaky', 'flaky', 'input_bad']),
  }
}

function step(random: Random): Op {
  const plan = planOf(random)
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
    ...(random.chance(0.1) ? { concurrencyKey: random.pick(['red', 'blue']) } : {}),
    ...(random.chance(0.1) ? { priority: random.pick([1, 3, 5] as const) } : {}),
    ...(random.chance(0.1) ? { mode: 'inline' as const } : {}),
    ...(random.chance(0.1) ? { scheduleToCloseMs: random.int(1000, 20_000) } : {}),
  }
  return { op: 'step', step: random.pick(['First', 'Second', 'Third']), plan, options }
}
