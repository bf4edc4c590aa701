import { expect, test } from 'vitest'
import { scoreAnalysis, scoreArea, scoreOverall } from './score.ts'

const none = { critical: 0, high: 0, medium: 0, low: 0, info: 0 }

test('no findings are 100, and notes cost nothing', () => {
  expect(scoreArea('static', { ...none, info: 500 }, 10).score).toBe(100)
})

test('the score is what the formula says', () => {
  expect(scoreArea('performance', { ...none, medium: 6 }, 2_000)).toMatchObject({
    score: 36.8,
    inputs: { weighted: 24, per_thousand_lines: 12 },
  })
})

test('one critical finding does not drown in a large repository', () => {
  expect(scoreArea('security', { ...none, critical: 1 }, 10_000_000).score).toBe(50)
  expect(scoreArea('security', { ...none, high: 1 }, 10_000_000).score).toBe(85)
})

test('the overall score is the mean of the areas', () => {
  expect(
    scoreOverall([
      { area: 'static', score: 90 },
      { area: 'security', score: 50 },
    ]),
  ).toMatchObject({ score: 70, formula: 'mean of static, security' })
})

test('an area of which nothing was analysed has no score and does not count', () => {
  const nothing = {
    counts: none,
    metrics: {},
    ran: [],
    skipped: [],
    findings_artifact: 'x',
    findings_total: 0,
  }
  const crashed = scoreAnalysis({ ...nothing, area: 'static', files_left_out: 3 })
  expect(crashed).toMatchObject({ score: null, why: expect.stringContaining('crashed on 3 files') })
  const ran = [{ tool: 'x', version: '1', files: 1 }]
  expect(scoreAnalysis({ ...nothing, area: 'static', ran }).score).toBe(100)
  const areas = [
    { area: 'static' as const, score: null },
    { area: 'security' as const, score: 50 },
  ]
  expect(scoreOverall(areas)).toMatchObject({ score: 50, formula: 'mean of security' })
  expect(scoreOverall(areas.slice(0, 1)).score).toBeNull()
})
