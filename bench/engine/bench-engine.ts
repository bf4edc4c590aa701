import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from '../src/figures.ts'
import type { BenchOptions } from '../src/main.ts'
import { makeBenchDirectory } from './directory.ts'
import { engineFigures, type Reached } from './engine-figures.ts'
import { type Field, openField } from './field.ts'
import { crashAsleep, makeDirectory, measureRecovery, measureSleeping, measureStored } from './growth.ts'
import { machineFacts } from './machine.ts'
import { fullPlan, type Plan, quickPlan } from './plan.ts'
import { curvePlot, ratePlot } from './plot.ts'
import { report } from './report.ts'
import { runRounds } from './rounds.ts'
import { type Curve, Samples } from './samples.ts'
import { findTemporalServer } from './temporal-server.ts'

type Bench = {
  directory: string
  plan: Plan
  samples: Samples
  say: (line: string) => void
  /** Until all of it has to end. */
  remainingMs: () => number
}

/**
 * The engine beside its peers. The full run keeps its report, figures and plots in `bench/results`; the quick one
 * writes its report to standard error.
 */
export async function benchEngine({ quick }: BenchOptions): Promise<Figure[]> {
  // The first time it is built, which takes minutes and is no part of the measurement.
  const startTemporal = await findTemporalServer((line) => void process.stderr.write(`bench: ${line}\n`))
  const startedMs = Date.now()
  const facts = machineFacts()
  const say = (line: string) =>
    void process.stderr.write(`bench: ${((Date.now() - startedMs) / 1000).toFixed(0)} s: ${line}\n`)
  const { path: directory, remove } = makeBenchDirectory()
  const plan = quick ? quickPlan : fullPlan
  const remainingMs = () => startedMs + plan.totalMs - Date.now()
  const bench = { directory, plan, samples: new Samples(), say, remainingMs }
  const stop = stopOnSignals(remove)
  try {
    const temporalVersion = await measureRounds(bench, startTemporal)
    const { reached, curves } = await measureGrowth(bench)
    const figures = engineFigures(bench.samples, reached)
    const text = report({ figures, samples: bench.samples, curves, facts: facts(temporalVersion) })
    if (quick) process.stderr.write(`${text}\n`)
    else keep(text, figures, bench.samples, curves)
    return figures
  } finally {
    stop()
    remove()
  }
}

/** Answers the version of Temporal's server, if it took part. */
async function measureRounds(
  { directory, plan, samples, say }: Bench,
  startTemporal: Parameters<typeof openField>[1],
): Promise<string | undefined> {
  const field: Field = await openField(directory, startTemporal)
  say('everybody is up')
  try {
    await runRounds(field, plan, samples, say)
    return field.temporalVersion
  } finally {
    await field.close()
  }
}

async function measureGrowth(bench: Bench): Promise<{ reached: Reached; curves: Curve[] }> {
  const { directory, plan, samples, say, remainingMs } = bench
  const storedMs = Math.min(plan.storedMaxMs, remainingMs() / 5)
  const stored = await measureStored(directory, plan, samples, storedMs, say)
  const sleepers = makeDirectory(directory, 'sleepers')
  const sleepingMs = Math.min(plan.sleepingMaxMs, remainingMs() / 4)
  const sleeping = await measureSleeping(sleepers, plan, sleepingMs)
  samples.add('bytes_per_sleeping_run', sleeping.bytesPerRun)
  say(`${sleeping.runs} runs asleep`)
  const recovery = await measureRecoveries(bench, sleepers, sleeping.runs)
  const open = recovery.at(-1)?.x ?? 0
  return {
    reached: { stored: stored.runs, sleeping: sleeping.runs, open },
    curves: curvesOf(samples, stored.curve, sleeping.curve, recovery),
  }
}

/** The last size is recovered several times, each from a copy of what the crash left; `slept` is a crash that exists. */
async function measureRecoveries(bench: Bench, slept: string, sleptRuns: number): Promise<Curve['points']> {
  const { directory, plan, samples, say, remainingMs } = bench
  const curve: Curve['points'] = []
  for (const target of plan.openRuns) {
    const isMade = sleptRuns === target
    const crashed = isMade ? slept : makeDirectory(directory, `crashed-${target}`)
    const open = isMade ? sleptRuns : await crashAsleep(crashed, target, plan.sleepingMaxMs)
    const isLast = target === plan.openRuns.at(-1)
    const times: number[] = []
    while (times.length < (isLast ? plan.recoveries : 1)) {
      const lastMs = (times.at(-1) ?? 0) * 1000
      if (times.length > 0 && remainingMs() < 1.5 * lastMs) break
      times.push(await measureRecovery(directory, crashed, open, Math.max(5_000, remainingMs())))
      say(`recovered ${open} open runs in ${times.at(-1)?.toFixed(1)} s`)
    }
    if (isLast) for (const seconds of times) samples.add('recovery_s', seconds)
    curve.push({ x: open, y: times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN })
  }
  return curve
}

function curvesOf(
  samples: Samples,
  stored: Curve['points'],
  sleeping: Curve['points'],
  recovery: Curve['points'],
): Curve[] {
  const steps = Array.from({ length: 10 }, (_, index) => {
    const sorted = [...samples.of(`steps_${index}`)].sort((a, b) => a - b)
    return { x: (index + 1) * 100, y: sorted[sorted.length >> 1] ?? Number.NaN }
  })
  return [
    { name: 'steps', title: 'Cost of a step', x: 'steps in the history', y: 'µs', points: steps },
    { name: 'starts', title: 'Cost of a start', x: 'finished runs stored', y: 'µs', points: stored },
    { name: 'memory', title: 'Resident memory', x: 'runs asleep', y: 'MB', points: sleeping },
    { name: 'recovery', title: 'Recovery after kill -9', x: 'open runs', y: 's', points: recovery },
  ]
}

function keep(text: string, figures: readonly Figure[], samples: Samples, curves: readonly Curve[]): void {
  const directory = join(import.meta.dirname, '..', 'results')
  const file = (name: string) => join(directory, name)
  mkdirSync(directory, { recursive: true })
  const rounds = Object.fromEntries(samples.names.map((name) => [name, samples.of(name)]))
  writeFileSync(file('engine.md'), text)
  writeFileSync(file('engine.json'), `${JSON.stringify({ figures, rounds, curves }, null, 2)}\n`)
  writeFileSync(file('engine.svg'), ratePlot(samples))
  for (const curve of curves) writeFileSync(file(`engine-${curve.name}.svg`), curvePlot(curve))
}

/** Children end with this process; what is left to do is the directory. */
function stopOnSignals(remove: () => void): () => void {
  const end = () => {
    remove()
    process.exit(130)
  }
  process.once('SIGINT', end).once('SIGTERM', end)
  return () => void process.off('SIGINT', end).off('SIGTERM', end)
}
