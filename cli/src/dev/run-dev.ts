import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandContext } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { type ExitCode, exitCode } from '../command-line/exit-code.ts'
import { openConfig } from '../compose/open-config.ts'
import { listenFault } from '../connect/listen-fault.ts'
import { type SupervisedChild, startChild } from './supervised-child.ts'
import { watchSources } from './watch-sources.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const launcher = join(root, 'cli', 'bin', 'kyros.js')
const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')

/** `kyros up --dev`: the server starts anew on every change, the console reloads by itself, the data stay. */
export async function runDev(context: CommandContext): Promise<ExitCode> {
  const { config } = openConfig(context)
  const { port } = config.server
  if (port === 0) throw new CommandError('--dev needs a port that stays.', 'Leave --port out, or name one.')
  const { terminal } = context
  const env = { ...context.env, KYROS_SERVER_PORT: String(port), KYROS_WORKFLOWS_WATCH: 'true' }
  const hasConsole = existsSync(vite)
  await mustBeFree(config.server.host, port, '--port <another>')
  if (hasConsole) await mustBeFree('127.0.0.1', config.console.port, 'KYROS_CONSOLE_PORT=<another>')
  const address = hasConsole ? `http://127.0.0.1:${config.console.port}` : `http://127.0.0.1:${port}`
  terminal.out(`Open ${address}  (the server restarts on changes, the console reloads by itself)`)
  const server = restarting(context, env)
  const watcher = watchSources(root, (file) => {
    terminal.note(`${file} changed`)
    server.restart()
  })
  const page = hasConsole ? startConsole(context, env, config.console.port) : undefined
  await interrupted()
  watcher.close()
  await Promise.all([server.stop(), page?.stop()])
  return exitCode.done
}

/**
 * Before anything starts: a console that is served beside another server would show that one's data.
 * @throws CommandError
 */
async function mustBeFree(host: string, port: number, another: string): Promise<void> {
  const fault = await listenFault(host, port)
  if (fault === undefined) return
  throw new CommandError(
    `Port ${port} on ${host}: ${fault}.`,
    `Stop it first (is another Kyros still running?), or choose another port with ${another}.`,
  )
}

function startConsole(context: CommandContext, env: CommandContext['env'], port: number): SupervisedChild {
  return startChild({
    words: [vite, '--host', '127.0.0.1', '--port', String(port), '--strictPort', '--clearScreen', 'false'],
    cwd: join(root, 'console'),
    // Where CI is set, Vite would not end with its standard input.
    env: { ...env, CI: undefined },
    bond: 'stdin',
    onExit: (code) => context.terminal.note(`The console's server ended with ${code}.`),
  })
}

/** A server that is started again one restart at a time, however fast the changes come. */
function restarting(context: CommandContext, env: CommandContext['env']) {
  const words = [launcher, ...serverWords(context)]
  const start = () =>
    startChild({
      words,
      cwd: context.directory,
      env,
      bond: 'channel',
      onExit: (code) => context.terminal.note(`The server ended with ${code}; it starts at the next change.`),
    })
  let child = start()
  let isWanted = false
  let isStopped = false
  let work: Promise<void> | undefined
  const turn = async () => {
    while (isWanted && !isStopped) {
      isWanted = false
      await child.stop()
      if (!isStopped) child = start()
    }
    work = undefined
  }
  return {
    restart: () => {
      isWanted = true
      work ??= turn()
    },
    stop: async () => {
      isStopped = true
      await work
      await child.stop()
    },
  }
}

/** The same call without `--dev`. */
function serverWords({ options, arguments: [path] }: CommandContext): string[] {
  const named = [
    ['port', '--port'],
    ['host', '--host'],
    ['data', '--data'],
    ['config', '--config'],
    ['databaseUrl', '--database-url'],
  ] as const
  const flags = named.flatMap(([option, flag]) => {
    const value = options.text(option)
    return value === undefined ? [] : [flag, value]
  })
  const welcome = options.flag('welcome') ? [] : ['--no-welcome']
  return ['up', ...(path === undefined ? [] : [path]), ...flags, ...welcome]
}

/**
 * A second signal changes nothing: npm passes on what a whole group was sent, and children that do not stop are killed
 * in time. Without a listener it would end this process, and leave them behind.
 */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve())
  })
}
