import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Load, Loop } from './answers.ts'

const nsPerMs = 1e6

/**
 * Keeps `concurrency` workflows under way for `warmMs` and then `windowMs`, and counts those that ended durably within
 * the window. Resolves when the last of them has ended. An engine that ends them in waves longer than the window is given
 * the rate of all that it ended, from the first start to the last end, when that is more.
 */
export async function closedLoop(runOne: () => Promise<unknown>, loop: Loop): Promise<Load> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const beganMs = performance.now()
  const fromMs = beganMs + loop.warmMs
  const untilMs = fromMs + loop.windowMs
  const latenciesMs: number[] = []
  const outsideMs: number[] = []
  let cpu = process.cpuUsage()
  const begin = setTimeout(() => {
    cpu = process.cpuUsage()
    delay.enable()
  }, loop.warmMs)
  const end = setTimeout(() => {
    cpu = process.cpuUsage(cpu)
    delay.disable()
  }, loop.warmMs + loop.windowMs)

  const oneAfterTheOther = async () => {
    while (true) {
      const startMs = performance.now()
      if (startMs >= untilMs) return
      await runOne()
      const endMs = performance.now()
      const isInside = endMs >= fromMs && endMs < untilMs
      if (isInside) latenciesMs.push(endMs - startMs)
      else outsideMs.push(endMs - startMs)
    }
  }
  await Promise.all(Array.from({ length: loop.concurrency }, oneAfterTheOther))
  clearTimeout(begin)
  clearTimeout(end)
  const count = latenciesMs.length
  const all = count + outsideMs.length
  const overall = (all * 1000) / (performance.now() - beganMs)
  const counted = (count > 0 ? latenciesMs : outsideMs).sort((a, b) => a - b)
  return {
    perSecond: Math.max((count * 1000) / loop.windowMs, overall),
    p50Ms: percentile(counted, 0.5),
    p99Ms: percentile(counted, 0.99),
    delayP99Ms: delay.percentile(99) / nsPerMs,
    cpuUsPerWorkflow: count < loop.concurrency ? null : (cpu.user + cpu.system) / count,
  }
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function medianOf(values: readonly number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
}
