import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./writing-process.ts', import.meta.url))

export type WritingProcess = {
  child: ChildProcess
  /** The numbers of the events that were acknowledged to it so far. */
  acknowledged: number[]
  /** Resolves when so many were acknowledged. */
  until(count: number): Promise<void>
  ended: Promise<unknown>
}

/** Starts a process that writes events; see writing-process.ts. */
export async function startWriting(...args: string[]): Promise<WritingProcess> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: number[] = []
  const opened = Promise.withResolvers<void>()
  const waiting = new Set<() => void>()
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === 'open') opened.resolve()
      else acknowledged.push(Number(line))
    }
    for (const wake of waiting) wake()
  })
  const ended = once(child, 'close')
  ended.then(() => opened.reject(new Error('The writing process ended before it opened its store')))
  await opened.promise
  return {
    child,
    acknowledged,
    ended,
    until: (count) =>
      new Promise((resolve) => {
        const wake = () => {
          if (acknowledged.length >= count) resolve()
        }
        waiting.add(wake)
        wake()
      }),
  }
}
