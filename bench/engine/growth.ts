import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { concurrency, type Plan } from './plan.ts'
import type { Samples } from './samples.ts'

const hourMs = 60 * 60_000
const graceMs = 60_000
const warmStarts = 2_000

type Reached = { runs: number; curve: { x: number; y: number }[] }
type Say = (line: string) => void

/** What a start costs with many finished runs stored, against an empty store beside it. */
export async function measureStored(
  directory: string,
  plan: Plan,
  samples: Samples,
  maxMs: number,
  say: Say,
): Promise<Reached> {
  const full = makeDirectory(directory, 'stored')
  const curve: Reached['curve'] = []
  let runs = 0
  const untilMs = Date.now() + maxMs
  for (const target of plan.storedRuns) {
    const filler = await Child.start('kyros', { dir: full })
    runs += await fill(filler, 'three_steps', 'end', target - runs, untilMs - Date.now())
    await filler.close()
    const { many, few } = await startsCosts(directory, full, plan)
    const isLast = target === plan.storedRuns.at(-1)
    for (const [index, costUs] of many.entries()) {
      if (!isLast) break
      samples.add('start_us_many', costUs)
      samples.add('start_us_few', few[index] ?? Number.NaN)
    }
    curve.push({ x: runs, y: middle(many) })
    if (curve.length === 1) curve.unshift({ x: 0, y: middle(few) })
    say(`${runs} finished runs stored`)
  }
  rmSync(full, { recursive: true, force: true })
  return { runs, curve }
}

/** Two processes as young as each other, on the full and on an empty store, take turns. */
async function startsCosts(directory: string, full: string, plan: Plan) {
  const empty = makeDirectory(directory, 'empty')
  const many = await Child.start('kyros', { dir: full })
  const few = await Child.start('kyros', { dir: empty })
  const costs = { many: [] as number[], few: [] as number[] }
  const cost = (child: Child, count: number) =>
    child.ask<number>('starts', { count, concurrency }, 2 * graceMs)
  await cost(many, warmStarts)
  await cost(few, warmStarts)
  for (let segment = 0; segment < plan.segments; segment++) {
    costs.many.push(await cost(many, plan.startsPerSegment))
    costs.few.push(await cost(few, plan.startsPerSegment))
  }
  await many.close()
  await few.close()
  rmSync(empty, { recursive: true, force: true })
  return costs
}

/**
 * Resident memory of runs that sleep for a day; the process is killed with them, and its directory left behind. What
 * a process holds that has worked, and the idle runs that stay in memory, are no cost of one more sleeping run.
 */
export async function measureSleeping(
  dir: string,
  { sleepingBefore, sleepingRuns }: Plan,
  maxMs: number,
): Promise<Reached & { bytesPerRun: number }> {
  const child = await Child.start('kyros', { dir })
  const untilMs = Date.now() + maxMs
  const alreadyAsleep = await sleep(child, sleepingBefore, maxMs / 3)
  const beforeBytes = await child.ask<number>('memory', {}, graceMs)
  const curve: Reached['curve'] = []
  let runs = 0
  let bytes = beforeBytes
  for (const target of sleepingRuns) {
    runs += await sleep(child, target - runs, untilMs - Date.now())
    bytes = await child.ask<number>('memory', {}, graceMs)
    curve.push({ x: runs, y: (bytes - beforeBytes) / 1e6 })
  }
  await child.kill()
  return { runs: runs + alreadyAsleep, curve, bytesPerRun: (bytes - beforeBytes) / runs }
}

/** Leaves the directory of a process that was killed with so many runs asleep. */
export async function crashAsleep(dir: string, runs: number, maxMs: number): Promise<number> {
  const child = await Child.start('kyros', { dir })
  const asleep = await sleep(child, runs, maxMs)
  await child.kill()
  return asleep
}

/**
 * From the start of a process, on the directory of one that was killed with `openRuns` open runs that are all due, until
 * it accepts work and the next step of every one of them has begun; seconds. `timeoutMs` when it takes longer.
 */
export async function measureRecovery(
  directory: string,
  crashed: string,
  openRuns: number,
  timeoutMs: number,
): Promise<number> {
  const dir = join(directory, 'recovered')
  cpSync(crashed, dir, { recursive: true })
  const untilMs = Date.now() + timeoutMs
  try {
    const child = await Child.start('kyros', { dir, openRuns, clockAheadMs: 25 * hourMs }, timeoutMs)
    const recovered = child.ask<number>('recovered', {}, Math.max(1, untilMs - Date.now()))
    return (await recovered.finally(() => child.kill())) / 1000
  } catch (error) {
    process.stderr.write(`bench: ${openRuns} open runs: ${String(error)}\n`)
    return timeoutMs / 1000
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function sleep(child: Child, count: number, maxMs: number): Promise<number> {
  return fill(child, 'sleeper', 'run.waiting', count, maxMs)
}

function fill(child: Child, workflow: string, moment: string, count: number, maxMs: number): Promise<number> {
  if (maxMs <= 0) return Promise.resolve(0)
  const params = { workflow, moment, count, maxMs, concurrency }
  return child.ask<number>('fill', params, maxMs + graceMs)
}

export function makeDirectory(directory: string, name: string): string {
  const path = join(directory, name)
  mkdirSync(path)
  return path
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
