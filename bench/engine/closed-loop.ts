import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Load, Loop } from './answers.ts'

const nsPerMs = 1e6

/**
 * Keeps `concurrency` workflows under way for `warmMs` and then `windowMs`, and counts those that ended durably within
 * the window. Resolves when the last of them has ended.
 */
export async function closedLoop(runOne: () => Promise<unknown>, loop: Loop): Promise<Load> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const fromMs = performance.now() + loop.warmMs
  const untilMs = fromMs + loop.windowMs
  const latenciesMs: number[] = []
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
      if (endMs >= fromMs && endMs < untilMs) latenciesMs.push(endMs - startMs)
    }
  }
  await Promise.all(Array.from({ length: loop.concurrency }, oneAfterTheOther))
  clearTimeout(begin)
  clearTimeout(end)
  latenciesMs.sort((a, b) => a - b)
  const count = latenciesMs.length
  return {
    perSecond: (count * 1000) / loop.windowMs,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    delayP99Ms: delay.percentile(99) / nsPerMs,
    cpuUsPerWorkflow: (cpu.user + cpu.system) / Math.max(1, count),
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
