import type { CommandFunction } from '../command-line/command-context.ts'
import { stopOnSignals } from '../compose/stop-on-signals.ts'

/** `kyros up`: everything in one process; at the first start a sample job on the repository it stands in. */
export const up: CommandFunction = async (context) => {
  if (context.options.flag('dev')) {
    const { runDev } = await import('../dev/run-dev.ts')
    return runDev(context)
  }
  // Before the server is loaded, which takes a moment.
  const stop = stopOnSignals()
  const { runServer } = await import('../compose/run-server.ts')
  return runServer(context, stop, {
    hasWorker: true,
    onReady: async (server) => {
      if (context.options.flag('welcome') || context.arguments[0] !== undefined) {
        const { welcome } = await import('../welcome/welcome.ts')
        await welcome(server, context.arguments[0])
      }
    },
  })
}
