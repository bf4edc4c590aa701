import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'

// The program dies with this process, whatever ends it and whatever the program is doing: then the pipe on the shell's
// standard input closes.
const guard = `
exec 9<&0
"$@" </dev/null 9<&- &
program=$!
(cat <&9 >/dev/null; kill -KILL $program 2>/dev/null) &
wait $program 2>/dev/null
`

/** The command line that runs `command` so that it ends when the pipe on its standard input closes. */
export function guardedCommand(command: readonly string[]): string[] {
  return ['sh', '-c', guard, 'guard', ...command]
}

/** Starts a program that cannot outlive this process. What it prints goes to `logPath`. */
export function startGuarded(
  command: readonly string[],
  logPath: string,
  env: Record<string, string>,
): ChildProcess {
  const [shell = 'sh', ...args] = guardedCommand(command)
  const log = openSync(logPath, 'a')
  const child = spawn(shell, args, { stdio: ['pipe', log, log], env: { ...process.env, ...env } })
  closeSync(log)
  return child
}

/** Ends the program at once: what it kept is thrown away. */
export async function stopGuarded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  await ended
}
