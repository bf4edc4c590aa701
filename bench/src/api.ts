import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figure, figure } from './figures.ts'
import { admin, root, startKyros, stopKyros } from './kyros-process.ts'
import type { BenchOptions } from './main.ts'

const connections = 64

/**
 * POST /api/v1/jobs, authenticated and on disk before the answer, against a bare Fastify route that validates the
 * same small body and answers the same JSON from memory. Both servers are up all the time and take turns.
 * The load generator shares the machine, so next to requests/s stands the processor time that each server spent
 * on a request: that ratio does not depend on who was busy beside it.
 */
export async function benchApi({ quick }: BenchOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 5
  const seconds = quick ? 4 : 8
  const dataDir = mkdtempSync(join(tmpdir(), 'kyros-bench-'))
  const kyros = await startKyros([process.execPath, 'cli/bin/kyros.js', 'up'], dataDir, {
    KYROS_RATE_LIMITS_REQUESTS_PER_MINUTE: '1000000000',
    LOG_LEVEL: 'warn',
  })
  const bare = spawn(process.execPath, [join(root, 'bench', 'src', 'bare-fastify.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const results: Record<'ours' | 'bare', Load[]> = { ours: [], bare: [] }
  try {
    const bareUrl = await firstLine(bare)
    const token = await signIn(kyros.url)
    const ours = { url: `${kyros.url}/api/v1/jobs`, pid: kyros.child.pid ?? 0, token }
    const peer = { url: `${bareUrl}/jobs`, pid: bare.pid ?? 0 }
    await load(ours, 4)
    await load(peer, 4)
    for (let round = 0; round < rounds; round++) {
      results.ours.push(await load(ours, seconds))
      results.bare.push(await load(peer, seconds))
      process.stderr.write(`bench: round ${round + 1} of ${rounds}\n`)
    }
  } finally {
    bare.kill()
    await stopKyros(kyros)
    rmSync(dataDir, { recursive: true, force: true })
  }
  return figures(results, `${rounds} rounds of ${seconds} s, ${connections} connections`)
}

function figures(results: Record<'ours' | 'bare', Load[]>, scale: string): Figure[] {
  const ratios = (of: (load: Load) => number) =>
    results.ours.map((ours, round) => of(ours) / of(results.bare[round] ?? ours))
  const each = (name: 'ours' | 'bare', of: (load: Load) => number) => results[name].map(of)
  return [
    figure(
      'api_submit_ratio',
      ratios((load) => load.requestsPerSecond),
      'x bare Fastify requests/s',
      scale,
    ),
    figure(
      'api_submit_cpu_ratio',
      ratios((load) => 1 / load.cpuUsPerRequest),
      'x bare Fastify requests per CPU second',
      scale,
    ),
    figure(
      'api_submit_rate',
      each('ours', (load) => load.requestsPerSecond),
      'requests/s',
      scale,
    ),
    figure(
      'api_bare_rate',
      each('bare', (load) => load.requestsPerSecond),
      'requests/s',
      scale,
    ),
    figure(
      'api_submit_p99',
      each('ours', (load) => load.p99Ms),
      'ms',
      scale,
    ),
  ]
}

type Target = { url: string; pid: number; token?: string }
type Load = { requestsPerSecond: number; p99Ms: number; cpuUsPerRequest: number }

/** One run of the load generator, in a process of its own. Any answer but 201 fails the benchmark. */
async function load({ url, pid, token }: Target, seconds: number): Promise<Load> {
  const args = [
    join(root, 'bench', 'node_modules', 'autocannon', 'autocannon.js'),
    ...['--json', '--no-progress', '-c', String(connections), '-d', String(seconds), '-m', 'POST'],
    ...['-H', 'content-type=application/json', '-b', '{"title":"measured"}'],
    ...(token === undefined ? [] : ['-H', `authorization=Bearer ${token}`]),
    url,
  ]
  const before = cpuUs(pid)
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'close')
  const spentUs = cpuUs(pid) - before
  const result: { requests: { average: number; total: number }; latency: { p99: number }; non2xx: number } =
    JSON.parse(output)
  if (result.non2xx > 0) throw new Error(`${result.non2xx} requests to ${url} were refused`)
  return {
    requestsPerSecond: result.requests.average,
    p99Ms: result.latency.p99,
    cpuUsPerRequest: spentUs / result.requests.total,
  }
}

/** User and system time of a process with its threads, in microseconds (Linux, 100 ticks a second). */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: admin.email, password: admin.password }),
  })
  if (!response.ok) throw new Error(`sign-in: ${response.status} ${await response.text()}`)
  const tokens: unknown = await response.json()
  if (typeof tokens !== 'object' || tokens === null || !('access_token' in tokens))
    throw new Error('no token')
  return String(tokens.access_token)
}

async function firstLine(child: ReturnType<typeof spawn>): Promise<string> {
  if (child.stdout === null) throw new Error('no output to read')
  const [chunk] = await once(child.stdout, 'data')
  return String(chunk).trim()
}
