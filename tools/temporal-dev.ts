// `npm run temporal-dev`: a Temporal server for development, in the foreground until Ctrl-C.
import { parseArgs } from 'node:util'
import { findTemporal, temporalObstacle } from './find-temporal.js'
import { buildTemporal } from './temporal-dev-build.ts'
import { startTemporal } from './temporal-dev-server.ts'

const help = `npm run temporal-dev -- [options]

Starts a Temporal server on loopback and stops it at Ctrl-C. The Temporal CLI comes from PATH, or is built once with Go.

  --port <number>  port of the gRPC service (a free one)
  --db <file>      keeps runs in this file (in memory)
  --search-attribute <name=type>
                   registers it, as temporal.search_attributes has it; may be given again
  --ui             serves Temporal's own console as well
  --build          only makes sure that there is a CLI, and prints its path
`

class UsageError extends Error {}

const say = (line: string) => process.stderr.write(`temporal-dev: ${line}\n`)

function readOptions(args: string[]) {
  const options = {
    port: { type: 'string' },
    db: { type: 'string' },
    'search-attribute': { type: 'string', multiple: true },
    ui: { type: 'boolean', default: false },
    build: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    const { values } = parseArgs({ args, options })
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536))
      throw new UsageError(`--port ${values.port} is no port`)
    return { ...values, port }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Serves until a signal, or until the server ends by itself, which is a failure. */
async function serve(path: string, options: ReturnType<typeof readOptions>): Promise<number> {
  const server = await startTemporal({
    path,
    port: options.port,
    dbPath: options.db,
    hasConsole: options.ui,
    searchAttributes: options['search-attribute'] ?? [],
  })
  let isStopping = false
  const stop = () => {
    isStopping = true
    void server.stop()
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  console.log(`Temporal server ${server.version} is ready: TEMPORAL_ADDRESS=${server.address}`)
  if (server.consoleUrl) console.log(`Temporal's console: ${server.consoleUrl}`)
  const code = await server.ended
  if (isStopping) return 0
  say(`the server ended with ${code}`)
  return 1
}

async function run(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    console.log(help)
    return 0
  }
  const source = findTemporal()
  if (source.kind === 'address') {
    say(`TEMPORAL_ADDRESS is set: ${source.address} is used, and nothing is built or started`)
    return 0
  }
  if (source.kind === 'none') {
    say(temporalObstacle(source) ?? source.reason)
    return 1
  }
  if (source.kind === 'build') await buildTemporal(source, process.env, say)
  if (!options.build) return serve(source.path, options)
  console.log(source.path)
  return 0
}

try {
  process.exitCode = await run()
} catch (error) {
  if (!(error instanceof Error)) throw error
  say(error.message)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
