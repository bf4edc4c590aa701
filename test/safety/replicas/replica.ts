import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@kyros/client/client'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const launcher = join(root, 'cli', 'bin', 'kyros.js')
const admin = { email: 'ada@example.org', password: 'a long enough password' }
const readyMs = 60_000
const stopMs = 15_000
const maxOutputChars = 20_000

export type Replica = {
  readonly origin: string
  readonly isUp: boolean
  /** Resolves when it serves. */
  start(): Promise<void>
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** It does nothing any more and knows nothing of it, as a machine that was suspended; it counts as not up. */
  pause(): void
  resume(): void
  /** Whether it was paused in the last so many milliseconds. */
  wasPausedWithin(ms: number): boolean
  /** Whether it runs the engine, and has taken up what another left; false when it does not answer. */
  holdsEngine(): Promise<boolean>
  /** One try per call, so that every failure is seen. */
  api(token: string | undefined): Client
  output(): string
}

export type ReplicaOptions = {
  directory: string
  databaseUrl: string
  workflowsDir: string
  secretKey: string
}

/** `kyros serve orchestrator` in a process of its own, on a port that it keeps. It dies with this one. */
export async function createReplica(options: ReplicaOptions): Promise<Replica> {
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let output = ''
  let isPaused = false
  let resumedMs = 0
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null
  const environment = {
    DATABASE_URL: options.databaseUrl,
    SECRET_KEY: options.secretKey,
    KYROS_WORKFLOWS_DIR: options.workflowsDir,
    KYROS_ADMIN_EMAIL: admin.email,
    KYROS_ADMIN_PASSWORD: admin.password,
    KYROS_METRICS_PORT: '0',
    KYROS_RATE_LIMITS_ENABLED: 'false',
    KYROS_SUPERVISED: '1',
  }
  return {
    origin,
    get isUp() {
      return isRunning() && !isPaused
    },
    async start() {
      const words = ['serve', 'orchestrator', '--port', String(port), '--data', options.directory]
      output = ''
      const started = spawn(process.execPath, [launcher, ...words], {
        cwd: options.directory,
        // The open channel tells the server when this process is gone, however that ended.
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: { ...plainEnvironment(), ...environment },
      })
      child = started
      for (const stream of [started.stdout, started.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          output = `${output}${text}`.slice(-maxOutputChars)
        })
      }
      const untilMs = Date.now() + readyMs
      while (!output.includes('Kyros is ready on')) {
        if (!isRunning() || Date.now() > untilMs) throw new Error(`A replica did not start: ${output}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async end(signal) {
      if (child === undefined || !isRunning()) return
      const ended = once(child, 'exit')
      child.kill(signal)
      const late = setTimeout(() => child?.kill('SIGKILL'), stopMs)
      await ended
      clearTimeout(late)
    },
    pause() {
      isPaused = true
      child?.kill('SIGSTOP')
    },
    resume() {
      child?.kill('SIGCONT')
      isPaused = false
      resumedMs = Date.now()
    },
    wasPausedWithin: (ms) => isPaused || Date.now() - resumedMs < ms,
    async holdsEngine() {
      if (isPaused) return false
      try {
        const answer = await fetch(`${origin}/health`, { signal: AbortSignal.timeout(2_000) })
        const text = await answer.text()
        return text.includes('"holds_lease":true') && text.includes('"recovered":true')
      } catch {
        return false
      }
    },
    api: (token) =>
      createClient({
        baseUrl: origin,
        maxTries: 1,
        timeoutMs: 10_000,
        ...(token !== undefined && { access: { headers: () => ({ authorization: `Bearer ${token}` }) } }),
      }),
    output: () => output,
  }
}

export async function signIn(replica: Replica): Promise<string> {
  const body = { username: admin.email, password: admin.password }
  return (await replica.api(undefined).call('login', { body })).access_token
}

async function findFreePort(): Promise<number> {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('The probe has no port')
  return address.port
}

/** What a shell gives, without the settings of whoever runs this. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const isOurs = /^(KYROS_|ORCHESTRATOR_|NODE_|DATABASE_URL|REDIS_URL|SECRET_KEY|LOG_LEVEL|DEBUG)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs.test(name)))
}
