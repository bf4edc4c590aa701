import { readFileSync } from 'node:fs'
import { callNameOf, withCallName } from './command-line/call-name.ts'
import { failureOf } from './command-line/failure.ts'
import { runProgram } from './command-line/program.ts'
import { createTerminal } from './command-line/terminal.ts'

/** The command line of this process; the only reader of its environment. Ends the process. */
export async function main(): Promise<void> {
  dieWithLauncher()
  // A reader that went away (`kyros runs list | head`) is no fault of the command.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const words = process.argv.slice(2)
  const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, env: process.env })
  const callName = callNameOf({
    script: process.argv[1] ?? '',
    directory: process.cwd(),
    isFromNpm: process.env.npm_execpath !== undefined,
  })
  try {
    const base = {
      terminal,
      env: process.env,
      directory: process.cwd(),
      version: version(),
      callName,
    }
    process.exitCode = await runProgram(words, base)
  } catch (error) {
    const failure = failureOf(error)
    const lines = failure.lines.map((line) => withCallName(line, callName))
    if (words.includes('--json')) {
      terminal.json({ error: { code: failure.code, message: lines[0], next: lines[1] } })
    } else {
      for (const line of lines) terminal.note(line)
    }
    if (process.env.LOG_LEVEL?.toLowerCase() === 'debug' && error instanceof Error) {
      terminal.note(error.stack ?? error.message)
    }
    process.exitCode = failure.exitCode
  }
  process.exit()
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const content: unknown = JSON.parse(text)
  const isKnown = typeof content === 'object' && content !== null && 'version' in content
  return isKnown ? String(content.version) : 'unknown'
}

/** Under an older Node the launcher is the parent and holds a channel open; when it closes, nobody waits for us. */
function dieWithLauncher(): void {
  if (process.env.KYROS_SUPERVISED !== '1' || process.channel === undefined) return
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel?.unref()
}
