import { expect, test } from 'vitest'
import { engineFigures } from './engine-figures.ts'
import { Samples } from './samples.ts'

test('the figures have the names of the issue, and say by which factor a count was reduced', () => {
  const figures = engineFigures(new Samples(), { stored: 250_000, sleeping: 100_000, open: 100_000 })
  expect(figures.map(({ name, scale }) => [name, scale])).toEqual([
    ['workflows_per_second_256', 1],
    ['ratio_restate', 1],
    ['ratio_dbos', 1],
    ['steps_per_second', 1],
    ['step_p50_over_fdatasync', 1],
    ['event_loop_delay_p99_ms', 1],
    ['step_cost_growth_1000', 1],
    ['start_cost_growth_1m', 4],
    ['recovery_100k_seconds', 1],
    ['bytes_per_sleeping_run', 10],
    ['postgres_ratio_dbos', 1],
    ['http_starts_per_second', 1],
    ['http_ratio_restate', 1],
  ])
})

test('figures of Temporal are there for whoever ran on it', () => {
  const samples = new Samples()
  const names = () =>
    engineFigures(samples, { stored: 1, sleeping: 1, open: 1 })
      .map(({ name }) => name)
      .slice(13)
  expect(names()).toEqual([])
  samples.add('temporal_workflows_per_second', 40)
  const plain = ['temporal_workflows_per_second', 'temporal_latency_alone_ms', 'temporal_step_overhead_ms']
  expect(names()).toEqual(plain)
  samples.add('kyros_temporal_workflows_per_second', 38)
  const ours = plain.map((name) => `kyros_${name}`)
  expect(names()).toEqual([...plain, ...ours, 'kyros_temporal_ratio_plain'])
})

test('a ratio is made within each round, so that a slow round changes neither', () => {
  const samples = new Samples()
  for (const [ours, theirs] of [
    [4000, 1000],
    [400, 100],
    [4200, 1000],
  ] as const) {
    samples.add('kyros_workflows_per_second', ours)
    samples.add('dbos_workflows_per_second', theirs)
  }
  const ratio = engineFigures(samples, { stored: 1, sleeping: 1, open: 1 }).find(
    ({ name }) => name === 'ratio_dbos',
  )
  expect(ratio).toMatchObject({ value: 4, spread: [4, 4.2] })
})
