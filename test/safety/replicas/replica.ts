import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@kyros/client/client'
import { findFreePort } from '../../../tools/free-port.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const launcher = join(root, 'cli', 'bin', 'kyros.js')
const admin = { email: 'ada@example.org', password: 'a long enough password' }
const readyMs = 60_000
const stopMs = 15_000
const maxOutputChars = 20_000

export type Service = 'orchestrator' | 'worker'

export type ReplicaOptions = {
  service: Service
  directory: string
  databaseUrl: string
  workflowsDir: string
  secretKey: string
  /** More settings, as variables of the environment. */
  env: NodeJS.ProcessEnv
}

/** Where clients come in: a replica itself, or what stands before several. */
export type Entrance = Pick<Replica, 'origin' | 'isUp' | 'api' | 'wasPausedWithin'>

/** One service of Kyros, `kyros serve …`, in a process of its own, on a port that it keeps. It dies with this one. */
export class Replica {
  readonly origin: string
  readonly #options: ReplicaOptions
  readonly #port: number
  #child: ChildProcess | undefined
  #output = ''
  #isPaused = false
  #resumedMs = 0

  constructor(options: ReplicaOptions, port: number) {
    this.#options = options
    this.#port = port
    this.origin = `http://127.0.0.1:${port}`
  }

  get service(): Service {
    return this.#options.service
  }

  get isUp(): boolean {
    return this.#isRunning() && !this.#isPaused
  }

  /** The end of what it has written. */
  get output(): string {
    return this.#output
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const { directory, service } = this.#options
    const words = ['serve', service, '--port', String(this.#port), '--data', directory]
    this.#output = ''
    const child = spawn(process.execPath, [launcher, ...words], {
      cwd: directory,
      // The open channel tells the server when this process is gone, however that ended.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...plainEnvironment(), ...environmentOf(this.#options) },
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = `${this.#output}${text}`.slice(-maxOutputChars)
      })
    }
    const untilMs = Date.now() + readyMs
    while (!this.#output.includes('Kyros is ready on')) {
      if (!this.#isRunning() || Date.now() > untilMs) {
        throw new Error(`A replica (${service}) did not start: ${this.#output}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.#isRunning()) return
    const ended = once(child, 'exit')
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(late)
  }

  /** It does nothing any more and knows nothing of it, as a machine that was suspended; it counts as not up. */
  pause(): void {
    this.#isPaused = true
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
    this.#isPaused = false
    this.#resumedMs = Date.now()
  }

  wasPausedWithin(ms: number): boolean {
    return this.#isPaused || Date.now() - this.#resumedMs < ms
  }

  /** Whether it runs the engine, and has taken up what another left; false when it does not answer. */
  async holdsEngine(): Promise<boolean> {
    if (!this.isUp) return false
    try {
      const answer = await fetch(`${this.origin}/health`, { signal: AbortSignal.timeout(2_000) })
      const text = await answer.text()
      return text.includes('"holds_lease":true') && text.includes('"recovered":true')
    } catch {
      return false
    }
  }

  api(token: string | undefined): Client {
    return apiOf(this.origin, token)
  }

  #isRunning(): boolean {
    const child = this.#child
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }
}

/** A client of whoever answers there. One try per call, so that every failure is seen. */
export function apiOf(origin: string, token: string | undefined): Client {
  return createClient({
    baseUrl: origin,
    maxTries: 1,
    timeoutMs: 10_000,
    ...(token !== undefined && { access: { headers: () => ({ authorization: `Bearer ${token}` }) } }),
  })
}

export async function createReplica(options: ReplicaOptions): Promise<Replica> {
  return new Replica(options, await findFreePort())
}

function environmentOf({ databaseUrl, secretKey, workflowsDir, env }: ReplicaOptions): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: databaseUrl,
    SECRET_KEY: secretKey,
    KYROS_WORKFLOWS_DIR: workflowsDir,
    KYROS_ADMIN_EMAIL: admin.email,
    KYROS_ADMIN_PASSWORD: admin.password,
    KYROS_METRICS_PORT: '0',
    KYROS_RATE_LIMITS_ENABLED: 'false',
    KYROS_SUPERVISED: '1',
    ...env,
  }
}

export async function signIn(entrance: Entrance): Promise<string> {
  const body = { username: admin.email, password: admin.password }
  return (await entrance.api(undefined).call('login', { body })).access_token
}

/** What a shell gives, without the settings of whoever runs this. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const isOurs = /^(KYROS_|ORCHESTRATOR_|NODE_|DATABASE_URL|REDIS_URL|SECRET_KEY|LOG_LEVEL|DEBUG)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs.test(name)))
}
