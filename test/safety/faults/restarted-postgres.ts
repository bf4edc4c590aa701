import { setTimeout as delay } from 'node:timers/promises'
import { startOwnDatabases } from '../load/databases.ts'
import { startLoad } from '../load/start-load.ts'
import { loadOptions, type Scenario, settleAndCheck } from './scenario.ts'

const readyMs = 30_000

/**
 * PostgreSQL is stopped and started again under load, orderly and at once: starts are acknowledged or refused with
 * `store_unavailable`, and the engine goes on by itself.
 */
export const restartedPostgres: Scenario = async (directory, random) => {
  const databases = await startOwnDatabases()
  try {
    const databaseUrl = await databases.create()
    const options = loadOptions(directory, random, { databaseUrl, leaseTtlMs: 1_000 })
    const child = startLoad(options)
    await child.until('ready', readyMs)
    for (const [how, downMs] of [
      ['SIGINT', 0],
      ['SIGQUIT', 1_500],
      ['SIGINT', 8_000],
    ] as const) {
      await delay(random.integer(400, 1_200))
      await databases.restart(how, downMs)
    }
    await delay(1_000)
    // It has to stand on its own feet again before it may come to rest.
    await child.end('SIGKILL')
    const survivor = startLoad({ ...options, openRuns: 0 })
    return await settleAndCheck(survivor, options, { allowed: ['store_unavailable'] })
  } finally {
    await databases.stop()
  }
}
