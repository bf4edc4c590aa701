import { performance } from 'node:perf_hooks'
import { medianOf } from './closed-loop.ts'

export type Latency = { latencyMs: number; stepMs: number }

const fewSteps = 3
const manySteps = 13

/** Workflows one after the other, short and long ones in turn: p50 of the short ones, and what one more step adds. */
export async function measureLatency(
  run: (steps: number) => Promise<unknown>,
  { pairs }: { pairs: number },
): Promise<Latency> {
  const fewMs: number[] = []
  const manyMs: number[] = []
  const timeOf = async (steps: number) => {
    const startMs = performance.now()
    await run(steps)
    return performance.now() - startMs
  }
  for (let pair = 0; pair < pairs; pair++) {
    fewMs.push(await timeOf(fewSteps))
    manyMs.push(await timeOf(manySteps))
  }
  const latencyMs = medianOf(fewMs)
  return { latencyMs, stepMs: (medianOf(manyMs) - latencyMs) / (manySteps - fewSteps) }
}
