import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { admin, type Started, startKyros } from '../src/kyros-process.ts'
import { guardedCommand } from './guarded.ts'
import type { GeneratorOptions, GeneratorReport } from './http-generator.ts'

export type HttpTarget = {
  url: string
  headers: readonly string[]
  body: string
  /** How many accepted workflows have not ended. */
  open(accepted: number): Promise<number>
}

export type HttpLoad = { perSecond: number; p99Ms: number; total: number }

/** Acknowledged starts through HTTP for some seconds; the generator is a process of its own. @throws on any other answer */
export async function httpLoad(target: HttpTarget, connections: number, seconds: number): Promise<HttpLoad> {
  const { url, headers, body } = target
  const options: GeneratorOptions = { url, headers, body, connections, seconds }
  const file = join(import.meta.dirname, 'http-generator.ts')
  const child = spawn(process.execPath, [file, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + 15_000)
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'close')
  clearTimeout(timer)
  if (output === '') throw new Error(`No load came to ${url}; the messages are above`)
  const report: GeneratorReport = JSON.parse(output)
  if (report.refused > 0)
    throw new Error(`${report.refused} requests to ${url} were refused: ${report.answer}`)
  return report
}

/** The real server from the command line, with authentication on, and a start of the measured workflow through it. */
export async function startHttpServer(dataDir: string): Promise<{ started: Started; target: HttpTarget }> {
  const started = await startKyros(guardedCommand([process.execPath, 'cli/bin/kyros.js', 'up']), dataDir, {
    KYROS_RATE_LIMITS_REQUESTS_PER_MINUTE: '1000000000',
    KYROS_WORKFLOWS_DIR: join(import.meta.dirname, 'workflows'),
    LOG_LEVEL: 'warn',
  })
  const post = async (path: string, body: object, token?: string) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`${started.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    // Border cast: what the contract says these routes answer.
    return (await response.json()) as { access_token: string; key: string }
  }
  const { access_token: token } = await post('/auth/login', {
    username: admin.email,
    password: admin.password,
  })
  const { key } = await post('/auth/api-keys', { name: 'bench' }, token)
  const headers = [`authorization: Bearer ${key}`]
  const body = JSON.stringify({ title: 'measured', workflow: 'three_steps', input: 1 })
  const open = async () => {
    const health = await fetch(`${started.url}/health`, { headers: { authorization: `Bearer ${key}` } })
    // Border cast: what the orchestrator's health says.
    const { services } = (await health.json()) as Health
    return services.orchestrator.details.active_runs
  }
  return { started, target: { url: `${started.url}/api/v1/jobs`, headers, body, open } }
}

type Health = { services: { orchestrator: { details: { active_runs: number } } } }
