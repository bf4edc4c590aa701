import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export const admin = { email: 'bench@localhost', password: 'a long enough benchmark password' }

export type Started = {
  child: ChildProcess
  url: string
  /** From spawn to the line that says it is ready. */
  readyMs: number
}

const readyTimeoutMs = 60_000

/** Starts the platform on a free loopback port; `command` is how (node itself, or npm). */
export async function startKyros(
  command: string[],
  dataDir: string,
  env: Record<string, string> = {},
): Promise<Started> {
  const port = await freePort()
  const [file = 'node', ...args] = command
  const startedAt = performance.now()
  const child = spawn(file, [...args, '--port', String(port), '--data', dataDir, '--no-welcome'], {
    cwd: root,
    // Nobody writes to its input; a guard in front of the platform waits for the pipe to close.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      KYROS_METRICS_PORT: '0',
      KYROS_ADMIN_EMAIL: admin.email,
      KYROS_ADMIN_PASSWORD: admin.password,
      ...env,
    },
  })
  await untilReady(child)
  return { child, url: `http://127.0.0.1:${port}`, readyMs: performance.now() - startedAt }
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(
      () => reject(new Error(`not ready in ${readyTimeoutMs} ms:\n${output}`)),
      readyTimeoutMs,
    )
    const read = (chunk: Buffer) => {
      output = (output + chunk).slice(-10_000)
      if (!output.includes('Kyros is ready on')) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`ended with ${code} before it was ready:\n${output}`))
    })
  })
}

/** Asks it to stop and waits; after 15 s it is killed. */
export async function stopKyros({ child }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(timer)
}

/** Resident memory of a process in MB; Linux only. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
}

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
