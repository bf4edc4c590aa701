import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Contestant, Loop } from '../answers.ts'
import { closedLoop, medianOf } from '../closed-loop.ts'
import { DeviceProbe } from '../fdatasync.ts'
import { measureLatency } from '../latency.ts'
import { type EngineOptions, type RunningEngine, startEngine } from './kyros-engine.ts'

const usPerMs = 1000

/** Kyros in this process: the load generator pays with it, as in every contestant that is a library. */
export async function open(options: EngineOptions & { openRuns?: number }): Promise<Contestant> {
  const { openRuns } = options
  const recovery = openRuns === undefined ? undefined : watchRecovery(openRuns)
  const running = await startEngine(options, recovery?.onStep)
  if (openRuns !== undefined) await running.run('empty', 1)
  const servingMs = performance.now()
  const methods = {
    saturate: (loop: Loop) => closedLoop(() => running.run('three_steps', 1, 'end'), loop),
    chains: (params: Loop & { steps: number }) => chains(running, params),
    alone: (params: { steps: number }) => alone(running, options.dir, params.steps),
    latency: (params: { pairs: number }) =>
      measureLatency((steps) => running.run('chain', steps, 'end'), params),
    growth: (params: { steps: number; atOnce: number }) => growth(running, params),
    fill: (params: Fill) => fill(running, params),
    starts: (params: { count: number; concurrency: number }) => starts(running, params),
    memory: () => memory(),
    recovered: async () => Math.max(servingMs, (await recovery?.allMovedMs) ?? 0),
    failures: async () => running.watch.failures,
  }
  return { methods, close: () => running.stop() }
}

/** Chains of sequential steps side by side: durable steps a second. */
async function chains(running: RunningEngine, params: Loop & { steps: number }): Promise<number> {
  let steps = 0
  running.onStep = () => {
    steps++
  }
  const fromMs = params.warmMs
  let counted = 0
  setTimeout(() => {
    counted = steps
  }, fromMs)
  setTimeout(() => {
    counted = steps - counted
  }, fromMs + params.windowMs)
  await closedLoop(() => running.run('chain', params.steps, 'end'), params)
  running.onStep = () => {}
  return (counted * 1000) / params.windowMs
}

const stepsAtOnce = 20

/** One run after the other and nothing beside: from step to step, with the device measured between the runs. */
async function alone(running: RunningEngine, dir: string, steps: number) {
  const probe = new DeviceProbe(dir)
  const deviceUs: number[] = []
  const gapsUs: number[] = []
  for (let done = 0; done < steps; done += stepsAtOnce) {
    deviceUs.push(...probe.measureUs(stepsAtOnce))
    const timesMs: number[] = []
    running.onStep = () => void timesMs.push(performance.now())
    await running.run('chain', stepsAtOnce, 'end')
    const gaps = timesMs.slice(1).map((timeMs, index) => timeMs - (timesMs[index] ?? timeMs))
    gapsUs.push(...gaps.map((ms) => ms * usPerMs))
  }
  running.onStep = () => {}
  probe.close()
  return { stepP50Us: medianOf(gapsUs), deviceP50Us: medianOf(deviceUs) }
}

/** Long runs side by side, in step with each other: the time of each hundred steps, in ms, median over the runs. */
async function growth(running: RunningEngine, params: { steps: number; atOnce: number }): Promise<number[]> {
  const times = new Map<string, number[]>()
  running.onStep = (_step, runId) => {
    const ofRun = times.get(runId) ?? []
    times.set(runId, ofRun)
    ofRun.push(performance.now())
  }
  await Promise.all(Array.from({ length: params.atOnce }, () => running.run('chain', params.steps, 'end')))
  running.onStep = () => {}
  const hundreds = Array.from({ length: params.steps / 100 }, (_, index) => index * 100)
  return hundreds.map((first) =>
    medianOf([...times.values()].map((ofRun) => (ofRun[first + 99] ?? 0) - (ofRun[first] ?? 0))),
  )
}

type Fill = {
  workflow: string
  moment: 'run.waiting' | 'end'
  count: number
  maxMs: number
  concurrency: number
}

/** Really runs up to `count` workflows, for at most `maxMs`; answers how many there are. */
async function fill(running: RunningEngine, params: Fill): Promise<number> {
  const untilMs = performance.now() + params.maxMs
  let begun = 0
  const oneAfterTheOther = async () => {
    while (begun < params.count && performance.now() < untilMs) {
      begun++
      await running.run(params.workflow, 1, params.moment)
    }
  }
  await Promise.all(Array.from({ length: params.concurrency }, oneAfterTheOther))
  return begun
}

/** Accepts, runs and ends workflows without a step; answers the µs that each took. */
async function starts(
  running: RunningEngine,
  params: { count: number; concurrency: number },
): Promise<number> {
  const startMs = performance.now()
  await fill(running, { ...params, workflow: 'empty', moment: 'end', maxMs: 60_000 })
  return ((performance.now() - startMs) * usPerMs) / params.count
}

/** Resident bytes of this process after a full collection. */
async function memory(): Promise<number> {
  for (let pass = 0; pass < 4; pass++) {
    globalThis.gc?.()
    await delay(100)
  }
  return process.memoryUsage.rss()
}

/** When the next step of every open run has begun, in ms since this process started. */
function watchRecovery(openRuns: number) {
  const { promise: allMovedMs, resolve } = Promise.withResolvers<number>()
  const moved = new Set<string>()
  const onStep = (_step: string, runId: string) => {
    moved.add(runId)
    if (moved.size === openRuns) resolve(performance.now())
  }
  return { allMovedMs, onStep }
}
