import type { CommandFunction } from '../command-line/command-context.ts'
import { CommandError, wrongUsage } from '../command-line/command-error.ts'
import { openConfig } from '../compose/open-config.ts'
import { stopOnSignals } from '../compose/stop-on-signals.ts'

const known = ['orchestrator', 'console', 'worker'] as const
const planned = ['gateway', 'registry', 'models', 'terminal']

/** `kyros serve`: one service in a process of its own. */
export const serve: CommandFunction = async (context) => {
  const names = [...new Set(context.arguments)]
  for (const name of names) checkName(name)
  if (names.includes('console')) {
    if (names.length > 1) {
      throw wrongUsage('The orchestrator already serves the console.', 'Start it with `kyros up`.')
    }
    const { serveConsole } = await import('../compose/serve-console.ts')
    return serveConsole(context)
  }
  const { config } = openConfig(context)
  const hasWorker = names.includes('worker')
  if (hasWorker && config.temporal.host_port === undefined) {
    throw new CommandError(
      'The embedded engine runs steps in its own process: there is no worker to start.',
      'Set temporal.host_port (KYROS_TEMPORAL_HOST_PORT) for runs on Temporal, or start `kyros serve orchestrator`.',
    )
  }
  if (config.database.url === undefined) {
    throw new CommandError(
      'Services in processes of their own need PostgreSQL: an SQLite database belongs to one process.',
      'Set DATABASE_URL=postgres://…, or start everything in one process with `kyros up`.',
    )
  }
  if (config.security.secret_key === undefined) {
    context.terminal.note(
      'Several orchestrators and workers must share one SECRET_KEY; this one uses its own.',
    )
  }
  const stop = stopOnSignals()
  if (hasWorker && names.length === 1) {
    const { runWorker } = await import('../compose/run-worker.ts')
    return runWorker(context, stop)
  }
  const { runServer } = await import('../compose/run-server.ts')
  return runServer(context, stop, { hasWorker })
}

function checkName(name: string): void {
  if (known.some((service) => service === name)) return
  throw planned.includes(name)
    ? wrongUsage(`The ${name} service is not built yet.`, `Today there are: ${known.join(', ')}.`)
    : wrongUsage(`There is no service ${name}.`, `Give one of: ${known.join(', ')}.`)
}
