import { type ChildProcess, spawn } from 'node:child_process'

export type ChildOptions = {
  words: readonly string[]
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  /** How the child notices that this process is gone: by its channel, or by the end of its standard input. */
  bond: 'channel' | 'stdin'
  onExit: (code: number | null) => void
}

export type SupervisedChild = { stop(): Promise<void> }

const stopTimeoutMs = 12_000

/** Starts Node with these words; the child ends with this process, whatever ends it. */
export function startChild(options: ChildOptions): SupervisedChild {
  const { words, cwd, env, bond } = options
  const child = spawn(process.execPath, [...words], {
    cwd,
    env: bond === 'channel' ? { ...env, KYROS_SUPERVISED: '1' } : { ...env },
    stdio: bond === 'channel' ? ['ignore', 'inherit', 'inherit', 'ipc'] : ['pipe', 'inherit', 'inherit'],
    // A group of its own: Ctrl-C reaches this process alone, which then stops the children in order.
    detached: process.platform !== 'win32',
  })
  let isStopping = false
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', (code) => {
      if (!isStopping) options.onExit(code)
      resolve()
    })
  })
  return {
    stop: () => {
      isStopping = true
      return stopChild(child, ended)
    },
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(timer)
}
