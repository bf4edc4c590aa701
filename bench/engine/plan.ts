/** Workflows under way at once, and steps: every engine may run as many attempts as there are workflows. */
export const concurrency = 256

/** How much is run. Everything is bounded in time, because machines and states of the product differ. */
export type Plan = {
  /** All of it ends in this time, with smaller sizes where it has to. */
  totalMs: number
  rounds: number
  /** Rounds in which openworkflow takes part: no figure needs it, and a wave of 256 takes it seconds. */
  openworkflowRounds: number
  /** One engine's turn in a round. */
  windowMs: number
  warmMs: number
  /** Before the first round, so that compilers and caches have done their work. */
  firstWarmMs: number
  httpSeconds: number
  httpConnections: number
  aloneSteps: number
  /** Temporal's turn: a workflow takes it seconds when 256 are under way. */
  temporalWindowMs: number
  temporalWarmMs: number
  /** All turns of Temporal together: those that no longer fit are left out, but for the first of each kind. */
  temporalMaxMs: number
  /** Short and long workflows, one after the other, whose latency is measured in a round. */
  latencyPairs: number
  longRuns: number
  /** Finished runs that are stored when a start is measured; the last is the size that counts. */
  storedRuns: readonly number[]
  storedMaxMs: number
  startsPerSegment: number
  segments: number
  /** Runs asleep before memory is measured: more than stay in memory anyhow, and what a busy heap holds is in it. */
  sleepingBefore: number
  /** Runs asleep when memory is measured; the last is the size that counts. */
  sleepingRuns: readonly number[]
  sleepingMaxMs: number
  /** Open runs at the crash; the last is the size that counts. */
  openRuns: readonly number[]
  recoveries: number
}

/** What the figures are named after. */
export const fullSizes = { stored: 1_000_000, sleeping: 1_000_000, open: 100_000 }

export const quickPlan: Plan = {
  totalMs: 290_000,
  rounds: 3,
  openworkflowRounds: 1,
  windowMs: 2_000,
  warmMs: 300,
  firstWarmMs: 1_500,
  httpSeconds: 2,
  httpConnections: 64,
  aloneSteps: 200,
  temporalWindowMs: 500,
  temporalWarmMs: 0,
  temporalMaxMs: 70_000,
  latencyPairs: 5,
  longRuns: 32,
  storedRuns: [400_000],
  storedMaxMs: 20_000,
  startsPerSegment: 3_000,
  segments: 6,
  sleepingBefore: 100_000,
  sleepingRuns: [300_000],
  sleepingMaxMs: 45_000,
  openRuns: [100_000],
  recoveries: 3,
}

export const fullPlan: Plan = {
  totalMs: 90 * 60_000,
  rounds: 7,
  openworkflowRounds: 7,
  windowMs: 8_000,
  warmMs: 1_000,
  firstWarmMs: 4_000,
  httpSeconds: 8,
  httpConnections: 64,
  aloneSteps: 1_000,
  temporalWindowMs: 20_000,
  temporalWarmMs: 5_000,
  temporalMaxMs: 15 * 60_000,
  latencyPairs: 40,
  longRuns: 64,
  storedRuns: [62_500, 125_000, 250_000, 500_000, fullSizes.stored],
  storedMaxMs: 900_000,
  startsPerSegment: 5_000,
  segments: 10,
  sleepingBefore: 100_000,
  sleepingRuns: [50_000, 100_000, 250_000, 500_000, fullSizes.sleeping],
  sleepingMaxMs: 900_000,
  openRuns: [12_500, 25_000, 50_000, fullSizes.open],
  recoveries: 5,
}
