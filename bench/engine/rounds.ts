import { setTimeout as delay } from 'node:timers/promises'
import type { Load, Loop } from './answers.ts'
import type { Child } from './child.ts'
import type { Field } from './field.ts'
import { type HttpTarget, httpLoad } from './http-load.ts'
import { concurrency, type Plan } from './plan.ts'
import type { Samples } from './samples.ts'

const drainTimeoutMs = 20_000
/** What the loop may take beyond its window: a slow engine still owes 256 workflows at its end. */
const graceMs = 60_000

type Turn = (loop: Loop) => Promise<void>

/** All engines take turns, in another order every round. */
export async function runRounds(field: Field, plan: Plan, samples: Samples, say: (line: string) => void) {
  const turns = turnsOf(field, plan, samples)
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
}

function turnsOf(field: Field, plan: Plan, samples: Samples): Turn[] {
  const saturate =
    (name: string, child: Child): Turn =>
    async (loop) => {
      const load = await child.ask<Load>('saturate', loop, loop.windowMs + graceMs)
      samples.add(`${name}_workflows_per_second`, load.perSecond)
      samples.add(`${name}_p50_ms`, load.p50Ms)
      samples.add(`${name}_p99_ms`, load.p99Ms)
      samples.add(`${name}_delay_p99_ms`, load.delayP99Ms)
      samples.add(`${name}_cpu_us_per_workflow`, load.cpuUsPerWorkflow)
    }
  const { kyros } = field
  return [
    saturate('kyros', kyros),
    saturate('restate', field.restate),
    saturate('dbos', field.dbos),
    saturate('kyros_postgres', field.kyrosPostgres),
    async () => {
      if (samples.of('openworkflow_workflows_per_second').length >= plan.openworkflowRounds) return
      // One wave of 256 takes it longer than a window.
      await saturate('openworkflow', field.openworkflow)({ concurrency, windowMs: 500, warmMs: 0 })
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
