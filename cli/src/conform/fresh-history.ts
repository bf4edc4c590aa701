import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@kyros/client/client'
import type { ConformHistory } from '@kyros/engine/temporal/conform'
import { loadConfig } from '@kyros/kernel/config/load-config'
import { silentLog } from '@kyros/kernel/log'
import type { CommandContext } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { readHistory } from '../commands/conform.ts'
import { watchRun } from '../commands/follow-run.ts'
import { createRunDisplay } from '../commands/run-display.ts'
import { dataPaths } from '../compose/paths.ts'
import { secretKeyOf } from '../compose/secret-key.ts'
import { startServer } from '../compose/start-server.ts'
import { configSchema } from '../config.ts'
import { localAccess } from '../connect/connect.ts'

const runTimeoutMs = 120_000
const flags = new Map([
  ['data_dir', { name: '--data', value: ':memory:' }],
  ['server.port', { name: '--port', value: '0' }],
  ['server.enable_metrics', { name: '--metrics', value: 'false' }],
])

/** Runs code_analysis once on two small files, in memory, and gives its history. */
export async function freshHistory(context: CommandContext): Promise<ConformHistory> {
  const code = mkdtempSync(join(tmpdir(), 'kyros-conform-'))
  writeFileSync(join(code, 'one.js'), 'export const one = (a) => (a ? eval(a) : 1)\n')
  writeFileSync(join(code, 'two.py'), 'def two(a):\n    return a\n')
  // An empty directory and environment: what is configured here has nothing to do with this run.
  const { config, settings } = loadConfig({ schema: configSchema, directory: code, env: {}, flags })
  const paths = dataPaths(code, config.data_dir)
  const secretKey = secretKeyOf(config.environment, undefined, undefined)
  const { version, env } = context
  const given = {
    config,
    settings,
    paths,
    secretKey,
    log: silentLog,
    version,
    directory: code,
    env,
    hasWorker: false,
  }
  const server = await startServer(given)
  try {
    const access = localAccess(paths.baseDir)
    const client = createClient({ baseUrl: server.serving.url, access })
    const body = { name: 'conform', type: 'code_analysis', input: { repository: code } }
    const { run_id: runId } = await client.call('startRun', { body })
    const quiet = createRunDisplay({ ...context.terminal, json: () => undefined }, true)
    await watchRun(client, runId, quiet, AbortSignal.timeout(runTimeoutMs))
    const history = await readHistory(client, runId)
    if (history !== undefined) return history
    throw new CommandError('The run left no history.', 'Repeat it with a server: `kyros up`.')
  } finally {
    await server.serving.stop('conform')
    await server.close()
    paths.cleanUp()
    rmSync(code, { recursive: true, force: true })
  }
}
