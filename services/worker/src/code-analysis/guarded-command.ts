import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { siblingModule } from './sibling-module.ts'

export type GuardedCommand = {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: { readonly [name: string]: string }
  readonly timeoutMs: number
  /** More output than this ends the command. */
  readonly maxOutputBytes: number
  readonly signal: AbortSignal
  /** Asked once a second; a sentence ends the command with it as the reason. */
  readonly objection?: () => Promise<string | undefined>
}

export type GuardedResult = {
  readonly exitCode: number | null
  readonly stdout: Buffer
  readonly stderr: string
  readonly ended: 'exited' | 'timed_out' | 'output_too_large' | 'objected' | 'not_started'
  readonly objection?: string
}

const objectionIntervalMs = 1_000
const maxErrorBytes = 64_000
/** For output that is still on its way when the keeper has ended. */
const outputGraceMs = 2_000

/**
 * Runs a foreign program with bounds. A small keeper process stands between: it holds the program in its own
 * process group and kills the whole group when this process dies, however it dies.
 * @throws the signal's reason when it aborts
 */
export async function runGuarded(options: GuardedCommand): Promise<GuardedResult> {
  options.signal.throwIfAborted()
  const keeper = spawn(
    process.execPath,
    [siblingModule(import.meta.url, 'command-keeper'), options.command, ...options.args],
    { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  )
  let ended: GuardedResult['ended'] = 'exited'
  let objection: string | undefined
  const end = (why: GuardedResult['ended']) => {
    if (ended === 'exited') ended = why
    if (keeper.connected) keeper.disconnect()
  }
  const onAbort = () => end('timed_out')
  options.signal.addEventListener('abort', onAbort, { once: true })
  const timeout = setTimeout(() => end('timed_out'), options.timeoutMs)
  const watch = setInterval(async () => {
    objection = await options.objection?.().catch(() => undefined)
    if (objection !== undefined) end('objected')
  }, objectionIntervalMs)

  const output: Buffer[] = []
  let outputBytes = 0
  keeper.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length
    if (outputBytes <= options.maxOutputBytes) output.push(chunk)
    else end('output_too_large')
  })
  let stderr = ''
  keeper.stderr?.on('data', (chunk: Buffer) => {
    if (stderr.length < maxErrorBytes) stderr += chunk.toString('utf8')
  })
  const exitCode = await endOf(keeper, () => end('not_started')).finally(() => {
    clearTimeout(timeout)
    clearInterval(watch)
    options.signal.removeEventListener('abort', onAbort)
  })
  options.signal.throwIfAborted()
  if (exitCode === commandNotFoundExitCode && ended === 'exited') ended = 'not_started'
  return { exitCode, stdout: Buffer.concat(output), stderr, ended, ...(objection ? { objection } : {}) }
}

/**
 * The exit code, once the output has been read as well. Not the event "close": it does not come when this side
 * closed the channel.
 */
async function endOf(keeper: ChildProcess, onError: () => void): Promise<number | null> {
  const outputs = [keeper.stdout, keeper.stderr].map(
    (stream) => new Promise<void>((resolve) => (stream === null ? resolve() : stream.once('close', resolve))),
  )
  const exitCode = await new Promise<number | null>((resolve) => {
    keeper.once('exit', resolve)
    keeper.once('error', () => {
      onError()
      resolve(null)
    })
  })
  await Promise.race([Promise.all(outputs), sleep(outputGraceMs, undefined, { ref: false })])
  return exitCode
}

/** How the keeper says that the program is not there, as shells do. */
const commandNotFoundExitCode = 127
