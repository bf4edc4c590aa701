import { type Figure, figure } from '../src/figures.ts'
import { fullSizes } from './plan.ts'
import type { Samples } from './samples.ts'

/** Sizes that were really reached; below those of the names a figure says by which factor. */
export type Reached = { stored: number; sleeping: number; open: number }

/** The figures of the issue, by their fixed names. */
export function engineFigures(samples: Samples, reached: Reached): Figure[] {
  const one = (name: string, unit: string, of = name) => figure(name, samples.of(of), unit, 1)
  const ratio = (name: string, above: string, below: string, unit: string, scale = 1) =>
    figure(name, samples.ratios(above, below), unit, scale)
  return [
    one('workflows_per_second_256', 'workflows/s', 'kyros_workflows_per_second'),
    ratio('ratio_restate', 'kyros_workflows_per_second', 'restate_workflows_per_second', 'x Restate'),
    ratio('ratio_dbos', 'kyros_workflows_per_second', 'dbos_workflows_per_second', 'x DBOS'),
    one('steps_per_second', 'steps/s'),
    ratio('step_p50_over_fdatasync', 'step_p50_us', 'fdatasync_p50_us', 'x fdatasync'),
    one('event_loop_delay_p99_ms', 'ms', 'kyros_delay_p99_ms'),
    ratio('step_cost_growth_1000', 'steps_9', 'steps_0', 'x first 100 steps'),
    ratio(
      'start_cost_growth_1m',
      'start_us_many',
      'start_us_few',
      'x empty',
      fullSizes.stored / reached.stored,
    ),
    figure('recovery_100k_seconds', samples.of('recovery_s'), 's', fullSizes.open / reached.open),
    figure(
      'bytes_per_sleeping_run',
      samples.of('bytes_per_sleeping_run'),
      'bytes',
      fullSizes.sleeping / reached.sleeping,
    ),
    ratio(
      'postgres_ratio_dbos',
      'kyros_postgres_workflows_per_second',
      'dbos_workflows_per_second',
      'x DBOS on the same server',
    ),
    one('http_starts_per_second', 'starts/s'),
    ratio(
      'http_ratio_restate',
      'http_starts_per_second',
      'http_restate_starts_per_second',
      "x Restate's ingress",
    ),
    ...temporalFigures(samples),
  ]
}

/** Plain Temporal code and our engine on the same server; only what took part. */
function temporalFigures(samples: Samples): Figure[] {
  const ours = 'kyros_temporal'
  const one = (name: string, unit: string) => figure(name, samples.of(name), unit, 1)
  const figuresOf = (name: string) => [
    one(`${name}_workflows_per_second`, 'workflows/s'),
    one(`${name}_latency_alone_ms`, 'ms'),
    one(`${name}_step_overhead_ms`, 'ms'),
  ]
  const rate = (name: string) => `${name}_workflows_per_second`
  const hasRun = (name: string) => samples.of(rate(name)).length > 0
  const ratio = () =>
    figure(`${ours}_ratio_plain`, samples.ratios(rate(ours), rate('temporal')), 'x plain Temporal', 1)
  return [...['temporal', ours].filter(hasRun).flatMap(figuresOf), ...(hasRun(ours) ? [ratio()] : [])]
}
