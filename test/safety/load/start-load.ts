import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LoadOptions } from './load-process.ts'

const program = fileURLToPath(new URL('./load-process.ts', import.meta.url))

export type LoadProcess = {
  readonly pid: number
  /** Rejects when the process ends before it said the word, or takes longer than `timeoutMs`. */
  until(word: string, timeoutMs: number): Promise<void>
  /** Resolves when it is gone. SIGTERM ends it by SIGKILL when it takes more than ten seconds. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  readonly hasEnded: boolean
  /** How far the engine's clock is from the machine's, from now on. */
  setClock(offsetMs: number): void
}

const stopMs = 10_000
const maxComplaintChars = 4_000

/** Starts a process of load. It dies with this one, because the pipe on its stdin closes. */
export function startLoad(options: LoadOptions, environment: NodeJS.ProcessEnv = {}): LoadProcess {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  const said = new Set<string>()
  let complaint = ''
  const gone = once(child, 'close')
  child.stderr.on('data', (text) => {
    complaint = `${complaint}${text}`.slice(-maxComplaintChars)
  })
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => said.add(line))
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null

  const until = async (word: string, timeoutMs: number) => {
    if (said.has(word)) return
    const heard = Promise.withResolvers<void>()
    const listen = () => {
      if (said.has(word)) heard.resolve()
    }
    lines.on('line', listen)
    const late = setTimeout(
      () => heard.reject(new Error(`No "${word}" in ${timeoutMs} ms: ${complaint}`)),
      timeoutMs,
    )
    try {
      const early = gone.then(() => {
        if (!said.has(word)) throw new Error(`The process ended before it said "${word}": ${complaint}`)
      })
      await Promise.race([heard.promise, early])
    } finally {
      clearTimeout(late)
      lines.off('line', listen)
    }
  }
  return {
    pid: child.pid ?? 0,
    until,
    end: async (signal) => {
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs)
      await gone
      clearTimeout(late)
    },
    setClock: (offsetMs) => void child.stdin.write(`clock ${offsetMs}\n`),
    get hasEnded() {
      return hasEnded()
    },
  }
}
