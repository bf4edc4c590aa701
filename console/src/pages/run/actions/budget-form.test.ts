import { expect, test } from 'vitest'
import { budgetChange, budgetDraft, budgetProblems } from './budget-form.ts'

const budget = { time_ms: 90_000, tokens: 1_000, used_tokens: 1_000, used_cost_usd: 0 }

test('limits are shown as people say them', () => {
  expect(budgetDraft(budget)).toEqual({ minutes: '1.5', tokens: '1000', costUsd: '' })
  expect(budgetDraft(undefined)).toEqual({ minutes: '', tokens: '', costUsd: '' })
})

test('only what differs is changed', () => {
  const draft = budgetDraft(budget)
  expect(budgetChange(draft, budget)).toBeUndefined()
  expect(budgetChange({ ...draft, tokens: '5000' }, budget)).toEqual({ tokens: 5_000 })
  expect(budgetChange({ minutes: '2', tokens: '', costUsd: '0.5' }, budget)).toEqual({
    time_ms: 120_000,
    cost_usd: 0.5,
  })
})

test('what is no amount is said beside its field', () => {
  const problems = budgetProblems({ minutes: '-1', tokens: '1.5', costUsd: 'much' })
  expect(Object.keys(problems)).toEqual(['minutes', 'tokens', 'costUsd'])
  expect(budgetProblems({ minutes: '0.5', tokens: ' ', costUsd: '' })).toEqual({})
})
