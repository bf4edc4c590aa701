import { setTimeout as delay } from 'node:timers/promises'
import { startLoad } from '../load/start-load.ts'
import { loadOptions, type Scenario, settleAndCheck } from './scenario.ts'

const readyMs = 30_000
const longMs = 5 * 60_000
const shortMs = 2_000

/** The machine's clock is set forward and back while runs sleep, wait and try again. */
export const clockJumps: Scenario = async (directory, random) => {
  const options = loadOptions(directory, random, { timeoutSeconds: 1_000_000 })
  const child = startLoad({ ...options, maxRuns: 400 })
  await child.until('ready', readyMs)
  let offsetMs = 0
  for (const stepMs of [longMs, -shortMs, shortMs, longMs, -shortMs, -shortMs, longMs]) {
    await delay(random.integer(150, 500))
    offsetMs += stepMs
    child.setClock(offsetMs)
  }
  return settleAndCheck(child, options, { clockJumps: true })
}
