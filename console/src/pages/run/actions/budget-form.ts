import type { RunBudget } from '@kyros/contract/run'
import type { BudgetChange } from '@kyros/contract/run-operation'

/** The limits of a budget as people type them: time in minutes. */
export type BudgetDraft = { minutes: string; tokens: string; costUsd: string }

const minuteMs = 60_000

export function budgetDraft(budget: RunBudget | undefined): BudgetDraft {
  const { time_ms, tokens, cost_usd } = budget ?? {}
  return {
    minutes: time_ms === undefined ? '' : String(time_ms / minuteMs),
    tokens: tokens === undefined ? '' : String(tokens),
    costUsd: cost_usd === undefined ? '' : String(cost_usd),
  }
}

/** What is wrong with each field; nothing for those that are right. */
export function budgetProblems(draft: BudgetDraft): Partial<BudgetDraft> {
  return {
    ...(isAmount(draft.minutes) ? {} : { minutes: 'A number of minutes above 0' }),
    ...(isAmount(draft.tokens) && isWhole(draft.tokens) ? {} : { tokens: 'A whole number above 0' }),
    ...(isAmount(draft.costUsd) ? {} : { costUsd: 'An amount above 0' }),
  }
}

/** The limits that differ from those there are; undefined when none does. */
export function budgetChange(draft: BudgetDraft, budget: RunBudget | undefined): BudgetChange | undefined {
  const before = budgetDraft(budget)
  const change = {
    ...(draft.minutes !== before.minutes &&
      draft.minutes.trim() !== '' && { time_ms: Math.max(1, Math.round(Number(draft.minutes) * minuteMs)) }),
    ...(draft.tokens !== before.tokens && draft.tokens.trim() !== '' && { tokens: Number(draft.tokens) }),
    ...(draft.costUsd !== before.costUsd &&
      draft.costUsd.trim() !== '' && { cost_usd: Number(draft.costUsd) }),
  }
  return Object.keys(change).length === 0 ? undefined : change
}

function isAmount(text: string): boolean {
  return text.trim() === '' || (Number.isFinite(Number(text)) && Number(text) > 0)
}

function isWhole(text: string): boolean {
  return text.trim() === '' || Number.isInteger(Number(text))
}
