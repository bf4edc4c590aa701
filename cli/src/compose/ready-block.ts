import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { withoutPassword } from '@kyros/kernel/config/redact'
import type { FirstAdmin } from '@kyros/orchestrator/auth/ensure-first-admin'
import type { Terminal } from '../command-line/terminal.ts'
import type { Config } from '../config.ts'
import { consoleDir } from './paths.ts'
import type { StartedServer } from './start-server.ts'

type ReadyInput = {
  terminal: Terminal
  callName: string
  config: Config
  server: StartedServer
  dataDir: string | undefined
  firstAdmin: FirstAdmin | undefined
  hasWorker: boolean
}

/** What a person needs to know when the server is ready: where, how to sign in, what is on, what to try. */
export function readyLines(input: ReadyInput): string[] {
  const { terminal, config, server, dataDir } = input
  const rows: [string, string][] = [
    ['Console', consoleText(config.server.public_url ?? server.serving.url)],
    ['Sign in', signInText(input)],
    ['Data', dataDir ?? 'in memory: gone when the server stops'],
    ['Database', databaseText(config, server)],
    ['Engine', engineText(input)],
    ['Workflows', workflowsText(server)],
    [
      'Off',
      `Redis, ${config.temporal.host_port ? '' : 'Temporal, '}models, sandbox: not needed for what works today`,
    ],
    ['Metrics', metricsText(config)],
    ['Try', `${input.callName} run ${trialOf(server)} --follow`],
  ]
  return rows.map(([name, value]) => `  ${terminal.paint('dim', name.padEnd(9))} ${value}`)
}

function engineText({ config, server, hasWorker }: ReadyInput): string {
  const { host_port: address, namespace } = config.temporal
  const inHere = 'steps run in this process'
  if (address === undefined) return `${server.engineKind}, ${inHere}`
  const where = hasWorker ? inHere : 'steps run in `kyros serve worker`'
  return `${server.engineKind} at ${address}, namespace ${namespace}; ${where}`
}

function consoleText(url: string): string {
  return existsSync(join(consoleDir, 'index.html')) ? url : `not built (npm run -s prestart); API on ${url}`
}

function signInText({ terminal, config, firstAdmin }: ReadyInput): string {
  if (firstAdmin?.password !== undefined) {
    const password = terminal.paint('bold', firstAdmin.password)
    return `${firstAdmin.email} with password ${password} (shown only now)`
  }
  if (firstAdmin !== undefined) return `${firstAdmin.email} with the password you configured`
  return `${config.auth.admin_email ?? 'admin@localhost'}, or the user you made`
}

function databaseText(config: Config, server: StartedServer): string {
  const { url } = config.database
  return server.store.dialect === 'sqlite' || url === undefined ? 'SQLite' : withoutPassword(url)
}

function workflowsText({ ownWorkflows }: StartedServer): string {
  const names = ['code_analysis', ...ownWorkflows.names()].join(', ')
  const refused = ownWorkflows.faults().filter(({ severity }) => severity === 'error').length
  return refused === 0 ? names : `${names}; ${refused} to mend, as \`kyros workflows check\` shows`
}

/** What to start first: what the user wrote, when there is something. */
function trialOf({ ownWorkflows }: StartedServer): string {
  const [own] = ownWorkflows.definitions.startable.size > 1 ? ownWorkflows.names() : []
  const example = ownWorkflows.definitions.startable.get(own ?? '')?.entry.inputSchema
  return own === undefined ? `code_analysis --input '{"repository": "."}'` : `${own}${inputText(example)}`
}

/** The first example that a schema gives, as a word of the command line. */
function inputText(schema: object | undefined): string {
  const examples = schema !== undefined && 'examples' in schema ? schema.examples : undefined
  const [first] = Array.isArray(examples) ? examples : []
  return first === undefined ? '' : ` --input '${JSON.stringify(first).replaceAll("'", "'\\''")}'`
}

function metricsText(config: Config): string {
  const { enable_metrics: isOn, metrics_port: port } = config.server
  return isOn && port !== 0 ? `http://127.0.0.1:${port}/metrics` : 'off'
}
