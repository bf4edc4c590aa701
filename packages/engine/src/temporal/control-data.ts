import type { BudgetLimits } from '../engine.ts'

export type Used = { tokens?: number; costUsd?: number }

/** Limits as events have them. */
export function budgetData({ timeMs, tokens, costUsd }: BudgetLimits) {
  return {
    ...(timeMs === undefined ? {} : { time_ms: timeMs }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
  }
}

/** What was used, as events have it. */
export function usedData({ tokens, costUsd }: Used) {
  return {
    ...(tokens === undefined ? {} : { tokens }),
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
  }
}
