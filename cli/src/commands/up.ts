import type { CommandFunction } from '../command-line/command-context.ts'

/** `kyros up`: everything in one process; at the first start a sample job on the repository it stands in. */
export const up: CommandFunction = async (context) => {
  if (context.options.flag('dev')) {
    const { runDev } = await import('../dev/run-dev.ts')
    return runDev(context)
  }
  const { runServer } = await import('../compose/run-server.ts')
  return runServer(context, async (server) => {
    if (context.options.flag('welcome') || context.arguments[0] !== undefined) {
      const { welcome } = await import('../welcome/welcome.ts')
      await welcome(server, context.arguments[0])
    }
  })
}
