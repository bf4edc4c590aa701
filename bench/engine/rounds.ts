import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Load, Loop } from './answers.ts'
import type { Child } from './child.ts'
import type { Field } from './field.ts'
import { type HttpTarget, httpLoad } from './http-load.ts'
import type { Latency } from './latency.ts'
import { concurrency, type Plan } from './plan.ts'
import type { Samples } from './samples.ts'

const drainTimeoutMs = 20_000
/** What the loop may take beyond its window: a slow engine still owes 256 workflows at its end. */
const graceMs = 60_000
/** Temporal ends some ten workflows a second on two busy cores. */
const slowGraceMs = 120_000

type Turn = (loop: Loop) => Promise<void>
type Named = Field['temporal'][number]

/** All engines take turns, in another order every round. */
export async function runRounds(field: Field, plan: Plan, samples: Samples, say: (line: string) => void) {
  const turns = [
    ...turnsOf(field, plan, samples),
    ...latencyTurns(field, plan, samples),
    ...temporalTurns(field.temporal, plan, samples),
  ]
  await warm(field, plan)
  say('warm')
  const loop = { concurrency, windowMs: plan.windowMs, warmMs: plan.warmMs }
  for (let round = 0; round < plan.rounds; round++) {
    const first = (round * 3) % turns.length
    for (const turn of [...turns.slice(first), ...turns.slice(0, first)]) await turn(loop)
    say(`round ${round + 1} of ${plan.rounds}`)
  }
}

async function warm(field: Field, plan: Plan): Promise<void> {
  const loop = { concurrency, windowMs: 1, warmMs: plan.firstWarmMs }
  for (const child of [field.kyros, field.kyrosPostgres, field.restate, field.dbos])
    await child.ask('saturate', loop, plan.firstWarmMs + graceMs)
  await field.kyros.ask('chains', { ...loop, steps: 50 }, plan.firstWarmMs + graceMs)
  await httpLoad(field.http.kyros, plan.httpConnections, 1)
  for (const [, child] of field.temporal)
    await child.ask('saturate', { concurrency: 64, windowMs: 500, warmMs: 0 }, slowGraceMs)
}

async function saturate([name, child]: Named, loop: Loop, samples: Samples): Promise<void> {
  const load = await child.ask<Load>('saturate', loop, loop.windowMs + loop.warmMs + slowGraceMs)
  samples.add(`${name}_workflows_per_second`, load.perSecond)
  samples.add(`${name}_p50_ms`, load.p50Ms)
  samples.add(`${name}_p99_ms`, load.p99Ms)
  samples.add(`${name}_delay_p99_ms`, load.delayP99Ms)
  if (load.cpuUsPerWorkflow !== null) samples.add(`${name}_cpu_us_per_workflow`, load.cpuUsPerWorkflow)
}

async function latency([name, child]: Named, { latencyPairs }: Plan, samples: Samples): Promise<void> {
  const { latencyMs, stepMs } = await child.ask<Latency>('latency', { pairs: latencyPairs }, slowGraceMs)
  samples.add(`${name}_latency_alone_ms`, latencyMs)
  samples.add(`${name}_step_overhead_ms`, stepMs)
}

function latencyTurns({ kyros, kyrosPostgres }: Field, plan: Plan, samples: Samples): Turn[] {
  return [
    () => latency(['kyros', kyros], plan, samples),
    () => latency(['kyros_postgres', kyrosPostgres], plan, samples),
  ]
}

/** Whoever is on Temporal directly after each other, and each of them first in turn: their ratio is a figure. */
function temporalTurns(sides: readonly Named[], plan: Plan, samples: Samples): Turn[] {
  const loop = { concurrency, windowMs: plan.temporalWindowMs, warmMs: plan.temporalWarmMs }
  let leftMs = plan.temporalMaxMs
  const inTurn = (name: string, measure: (side: Named) => Promise<void>) => {
    let longestMs = 0
    return async () => {
      // Once in any case.
      if (longestMs > 0 && longestMs > leftMs) return
      const startMs = performance.now()
      const first = samples.of(name).length % 2
      for (const side of first === 0 ? sides : [...sides].reverse()) await measure(side)
      const tookMs = performance.now() - startMs
      longestMs = Math.max(longestMs, tookMs)
      leftMs -= tookMs
    }
  }
  return [
    inTurn('temporal_workflows_per_second', (side) => saturate(side, loop, samples)),
    inTurn('temporal_latency_alone_ms', (side) => latency(side, plan, samples)),
  ]
}

function turnsOf(field: Field, plan: Plan, samples: Samples): Turn[] {
  const saturated =
    (name: string, child: Child): Turn =>
    (loop) =>
      saturate([name, child], loop, samples)
  const { kyros } = field
  return [
    saturated('kyros', kyros),
    saturated('restate', field.restate),
    saturated('dbos', field.dbos),
    saturated('kyros_postgres', field.kyrosPostgres),
    async () => {
      if (samples.of('openworkflow_workflows_per_second').length >= plan.openworkflowRounds) return
      // One wave of 256 takes it longer than a window.
      const wave = { concurrency, windowMs: 500, warmMs: 0 }
      await saturate(['openworkflow', field.openworkflow], wave, samples)
    },
    async (loop) => {
      const chains = await kyros.ask<number>('chains', { ...loop, steps: 50 }, loop.windowMs + graceMs)
      samples.add('steps_per_second', chains)
    },
    async () => {
      const params = { steps: plan.aloneSteps }
      const { stepP50Us, deviceP50Us } = await kyros.ask<{ stepP50Us: number; deviceP50Us: number }>(
        'alone',
        params,
        graceMs,
      )
      samples.add('step_p50_us', stepP50Us)
      samples.add('fdatasync_p50_us', deviceP50Us)
    },
    async () => {
      const params = { steps: 1000, atOnce: plan.longRuns }
      const hundreds = await kyros.ask<number[]>('growth', params, graceMs)
      for (const [index, ms] of hundreds.entries()) samples.add(`steps_${index}`, ms * 10)
    },
    () => startThroughHttp('http', field.http.kyros, plan, samples),
    () => startThroughHttp('http_restate', field.http.restate, plan, samples),
  ]
}

/** Starts only; whether the engine behind them keeps up is counted beside, and what is left is waited for. */
async function startThroughHttp(name: string, target: HttpTarget, plan: Plan, samples: Samples) {
  const before = -(await target.open(0))
  const load = await httpLoad(target, plan.httpConnections, plan.httpSeconds)
  const accepted = before + load.total
  samples.add(`${name}_starts_per_second`, load.perSecond)
  samples.add(`${name}_p99_ms`, load.p99Ms)
  samples.add(`${name}_ended_share`, 1 - (await target.open(accepted)) / load.total)
  const untilMs = Date.now() + drainTimeoutMs
  while ((await target.open(accepted)) > 0 && Date.now() < untilMs) await delay(100)
}
