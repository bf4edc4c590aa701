import { type Figure, median } from '../src/figures.ts'
import type { Facts } from './machine.ts'
import type { Curve, Samples } from './samples.ts'

type Report = { figures: readonly Figure[]; samples: Samples; curves: readonly Curve[]; facts: Facts }

const engines = [
  ['kyros', 'Kyros, SQLite FULL'],
  ['kyros_postgres', 'Kyros, PostgreSQL'],
  ['restate', 'Restate'],
  ['dbos', 'DBOS, the same PostgreSQL'],
  ['openworkflow', 'openworkflow, SQLite'],
  ['temporal', 'Temporal, plain SDK code'],
  ['kyros_temporal', 'Kyros on Temporal'],
] as const

const compared = ['kyros', 'kyros_postgres', 'kyros_temporal', 'temporal']

/** Markdown: like for like first, then the ratios that leave something out, then each engine, then growth. */
export function report({ figures, samples, curves, facts }: Report): string {
  const of = (names: readonly string[]) => figures.filter(({ name }) => names.includes(name))
  const likeForLike = ['http_ratio_restate', 'postgres_ratio_dbos']
  const deviceUs = number(middle(samples.of('fdatasync_p50_us')))
  return `# Engine

${facts.line}. Load of the machine: ${facts.load}.
Device: 4 KB overwrite of a preallocated file and fdatasync, p50 **${deviceUs} µs**.
Medians of interleaved rounds, with the smallest and the largest.

## Like for like

${table(of(likeForLike))}

## All figures

${table(figures.filter(({ name }) => !likeForLike.includes(name)))}

\`ratio_restate\` and \`ratio_dbos\` compare engines, not products behind a network: Kyros and DBOS are called inside
the process of the load generator, Restate through its HTTP ingress and its calls to the service.

## Three steps, 256 at once

| engine | workflows/s | p50 ms | p99 ms | event-loop delay p99 ms | CPU µs a workflow, in the process of the load |
|---|--:|--:|--:|--:|--:|
${measured(samples)
  .map(([key, title]) => engineRow(samples, key, title))
  .join('\n')}

## Engine against engine

| engine | workflows/s, 256 at once | three steps alone, p50 ms | one more step, ms |
|---|--:|--:|--:|
${measured(samples)
  .filter(([key]) => compared.includes(key))
  .map(([key, title]) => comparedRow(samples, key, title))
  .join('\n')}

## Starts through HTTP, acknowledged when durable

| server | starts/s | p99 ms | share that had ended at the end of the load |
|---|--:|--:|--:|
${httpRow(samples, 'http', 'Kyros, with authentication')}
${httpRow(samples, 'http_restate', "Restate's ingress, `send`")}

One Kyros workflow alone: ${number(middle(samples.of('step_p50_us')))} µs from step to step.

## Growth

${curves.map(curveTable).join('\n\n')}
`
}

function engineRow(samples: Samples, key: string, title: string): string {
  const names = ['workflows_per_second', 'p50_ms', 'p99_ms', 'delay_p99_ms', 'cpu_us_per_workflow']
  const cells = names.map((name) => number(middle(samples.of(`${key}_${name}`))))
  return `| ${title} | ${cells.join(' | ')} |`
}

function comparedRow(samples: Samples, key: string, title: string): string {
  const names = ['workflows_per_second', 'latency_alone_ms', 'step_overhead_ms']
  return `| ${title} | ${names.map((name) => number(middle(samples.of(`${key}_${name}`)))).join(' | ')} |`
}

function measured(samples: Samples) {
  return engines.filter(([key]) => samples.of(`${key}_workflows_per_second`).length > 0)
}

function httpRow(samples: Samples, key: string, title: string): string {
  const names = ['starts_per_second', 'p99_ms', 'ended_share']
  return `| ${title} | ${names.map((name) => number(middle(samples.of(`${key}_${name}`)))).join(' | ')} |`
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map(
    ({ name, value, unit, spread, scale }) =>
      `| \`${name}\` | ${value} | ${unit} | ${spread.join(' – ')} | ${number(Number(scale))} |`,
  )
  return ['| figure | median | unit | min – max | scale |', '|---|--:|---|---|--:|', ...rows].join('\n')
}

function curveTable({ title, x, y, points }: Curve): string {
  const head = `| ${x} | ${points.map((point) => point.x).join(' | ')} |`
  const line = `|---|${points.map(() => '--:').join('|')}|`
  return [`${title}:`, '', head, line, `| ${y} | ${points.map((p) => number(p.y)).join(' | ')} |`].join('\n')
}

function middle(values: readonly number[]): number {
  return median([...values].sort((a, b) => a - b))
}

function number(value: number): string {
  return Number.isNaN(value) ? '–' : String(Number(value.toPrecision(3)))
}
