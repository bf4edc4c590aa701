import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startLoad } from '../load/start-load.ts'
import { compileRecorder } from '../power/record-load.ts'
import { loadOptions, type Scenario, settleAndCheck } from './scenario.ts'

const readyMs = 30_000
const cycles = 3

/**
 * The disk is full for a while, again and again: starts are refused with `storage_full`, reads and what fits go on, and
 * the engine goes on by itself when there is room. Once it is killed while the disk is full.
 */
export const fullDisk: Scenario = async (directory, random) => {
  const flag = join(directory, 'full')
  const options = loadOptions(directory, random, { openRuns: 64 })
  const environment = {
    LD_PRELOAD: compileRecorder(directory),
    KYROS_RECORD_ROOT: options.dataDir,
    KYROS_FULL_FLAG: flag,
  }
  let child = startLoad(options, environment)
  await child.until('ready', readyMs)
  for (let cycle = 0; cycle < cycles; cycle++) {
    await delay(random.integer(200, 600))
    writeFileSync(flag, '')
    await delay(random.integer(300, 1_200))
    const isKilled = cycle === 1
    if (isKilled) await child.end('SIGKILL')
    rmSync(flag)
    if (!isKilled) continue
    child = startLoad(options, environment)
    await child.until('ready', readyMs)
  }
  await delay(300)
  await child.end('SIGKILL')
  const survivor = startLoad({ ...options, openRuns: 0 })
  return settleAndCheck(survivor, options, { allowed: ['storage_full'] })
}
