// The real server in a process of its own, as a user starts it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@kyros/client/client'
import { waitFor } from './wait-for.ts'

export const admin = { email: 'ada@example.org', password: 'a long enough password' } as const

const root = fileURLToPath(new URL('../..', import.meta.url))
const launcher = join(root, 'cli', 'bin', 'kyros.js')
const readyLine = /^Kyros is ready on (http:\/\/\S+)$/m
const readyMs = 60_000
const drainMs = 15_000

export type KyrosServer = {
  origin: string
  /** The same API that the console uses, as the administrator. */
  api: Client
  /** Ends the process as a power cut would. */
  kill: () => Promise<void>
  /** Starts it again on the same port and data. */
  restart: () => Promise<void>
  /** Stops it and removes its data. */
  remove: () => Promise<void>
}

/** Starts Kyros with an empty data directory on a free port, and with these settings. */
export async function startKyros(settings: Record<string, string> = {}): Promise<KyrosServer> {
  const data = mkdtempSync(join(tmpdir(), 'kyros-e2e-'))
  const port = await freePort()
  let running = launch(data, port, settings)
  const origin = await running.ready()
  const token = await signIn(origin)
  return {
    origin,
    api: createClient({
      baseUrl: origin,
      access: { headers: () => ({ authorization: `Bearer ${token}` }) },
    }),
    kill: () => running.end('SIGKILL'),
    restart: async () => {
      running = launch(data, port, settings)
      await running.ready()
    },
    remove: async () => {
      await running.end('SIGTERM')
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** A number and not 0: the names of the session's cookies hold the port, and a restart must find them again. */
async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('The probe has no port')
  return address.port
}

function launch(data: string, port: number, settings: Record<string, string>) {
  const words = ['up', '--port', String(port), '--data', data, '--no-welcome']
  const child = spawn(process.execPath, [launcher, ...words], {
    cwd: data,
    // The open channel tells the server when the process of the tests is gone, however that ended.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...plainEnvironment(), KYROS_SUPERVISED: '1', ...settings },
  })
  let output = ''
  const collect = (text: string) => {
    output += text
  }
  child.stdout?.setEncoding('utf8').on('data', collect)
  child.stderr?.setEncoding('utf8').on('data', collect)
  const ready = () =>
    waitFor('the server to be ready', readyMs, () => {
      if (hasEnded(child)) throw new Error(`The server ended with ${child.exitCode}:\n${output}`)
      return readyLine.exec(output)?.[1]
    })
  return { ready, end: (signal: NodeJS.Signals) => end(child, signal) }
}

/** What a shell gives, without the settings of whoever runs the tests. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const isOurs = /^(KYROS_|ORCHESTRATOR_|VITEST|NODE_|DATABASE_URL|REDIS_URL|SECRET_KEY|LOG_LEVEL|DEBUG)/
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs.test(name))),
    KYROS_METRICS_PORT: '0',
    KYROS_ADMIN_EMAIL: admin.email,
    KYROS_ADMIN_PASSWORD: admin.password,
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const impatience = setTimeout(() => child.kill('SIGKILL'), drainMs)
  await ended
  clearTimeout(impatience)
}

async function signIn(origin: string): Promise<string> {
  const answer = await createClient({ baseUrl: origin }).call('login', {
    body: { username: admin.email, password: admin.password },
  })
  return answer.access_token
}
