import type { RunBudget } from '@kyros/contract/run'
import { formatDuration } from '../../format/duration.ts'
import { formatCount } from '../../format/quantity.ts'

/** What a run may use and how much of it it has used, in one line: `1,200 of 5,000 tokens, at most 10 min`. */
export function BudgetFact({ budget }: { budget: RunBudget }) {
  return <span className="k-budget-fact">{budgetWords(budget).join(', ') || 'no limit'}</span>
}

function budgetWords({ time_ms, tokens, cost_usd, used_tokens, used_cost_usd }: RunBudget): string[] {
  return [
    ...(tokens === undefined
      ? used_tokens === 0
        ? []
        : [`${formatCount(used_tokens)} tokens`]
      : [`${formatCount(used_tokens)} of ${formatCount(tokens)} tokens`]),
    ...(cost_usd === undefined
      ? used_cost_usd === 0
        ? []
        : [dollars(used_cost_usd)]
      : [`${dollars(used_cost_usd)} of ${dollars(cost_usd)}`]),
    ...(time_ms === undefined ? [] : [`at most ${formatDuration(time_ms)} of work`]),
  ]
}

function dollars(amount: number): string {
  if (amount === 0) return '$0'
  // Single calls cost fractions of a cent.
  return `$${amount < 0.01 ? amount.toPrecision(2) : amount.toFixed(2)}`
}
