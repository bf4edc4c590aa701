// Children that die with this process, whatever the signal, with everything that they started.
import { type ChildProcess, spawn } from 'node:child_process'

const graceMs = 10_000

// The pipe on stdin closes when its owner is gone, also by SIGKILL; then the whole process group goes. SIGTERM for the
// group is for the child, which may take its time; the shell waits for it and hands on its exit code.
const guard = `
trap : TERM
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3; kill -KILL 0; } >/dev/null 2>&1 &
wait $child
code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
exit $code
`

export interface GuardedChild {
  readonly child: ChildProcess
  /** Resolves with the exit code when the command has ended by itself or was stopped; never rejects. */
  readonly ended: Promise<number>
  /** Asks the command to end, and kills it when that takes more than 10 s. */
  stop(): Promise<void>
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It ended by itself in the meantime.
  }
}

/** Starts a command in a process group of its own; its stdout and stderr are pipes. */
export function spawnGuarded(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): GuardedChild {
  const child = spawn('sh', ['-c', guard, 'sh', ...command], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  // Closed pipes end the part of the guard that reads them.
  child.stdin?.on('error', () => {})
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127))
    child.once('exit', (code) => resolve(code ?? 1))
  }).finally(() => child.stdin?.destroy())
  const stop = async () => {
    killGroup(child, 'SIGTERM')
    const timer = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs)
    await ended
    clearTimeout(timer)
  }
  return { child, ended, stop }
}
