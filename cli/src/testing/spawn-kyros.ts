import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
export const launcher = join(root, 'cli', 'bin', 'kyros.js')
export const pinnedNode = join(root, 'node_modules', '.bin', 'node')

const readyLine = /^Kyros is ready on (http:\/\/\S+)$/m
const readyTimeoutMs = 30_000

export type Spawned = {
  child: ChildProcess
  /** Everything written so far. */
  output: () => string
  errors: () => string
  /** The address from the line that other programs wait for. */
  ready: () => Promise<string>
  /** Waits for text on standard output. */
  saw: (pattern: RegExp) => Promise<RegExpMatchArray>
  exited: Promise<number | NodeJS.Signals | null>
}

type SpawnOptions = {
  cwd?: string
  env?: Record<string, string>
  command?: string
  /** Words before the launcher. */
  before?: readonly string[]
  input?: string
}

/** A directory that is removed when the test has ended. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kyros-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** The real command line in a process of its own, ended with the test. */
export function spawnKyros(words: readonly string[], options: SpawnOptions = {}): Spawned {
  const command = options.command ?? pinnedNode
  return watch(
    spawn(command, [...(options.before ?? []), launcher, ...words], {
      cwd: options.cwd ?? root,
      env: environment(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    }),
    options.input,
  )
}

/** `npm start -- <words>` in the repository. */
export function spawnNpmStart(words: readonly string[], env: Record<string, string> = {}): Spawned {
  return watch(
    spawn('npm', ['start', '--', ...words], {
      cwd: root,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
}

/** Runs a command to its end. */
export async function kyros(words: readonly string[], options: SpawnOptions = {}) {
  const spawned = spawnKyros(words, options)
  const code = await spawned.exited
  return { code, output: spawned.output(), lines: spawned.errors().trim().split('\n') }
}

/** What a user's shell would give, without the settings of whoever runs the tests. */
function environment(extra: Record<string, string> = {}): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => {
    return !/^(KYROS_|ORCHESTRATOR_|VITEST|NODE_|DATABASE_URL|SECRET_KEY|LOG_LEVEL|DEBUG)/.test(name)
  })
  const base = Object.fromEntries(
    own.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  return { ...base, KYROS_METRICS_PORT: '0', XDG_CONFIG_HOME: join(tmpdir(), 'kyros-no-config'), ...extra }
}

function watch(child: ChildProcess, input?: string): Spawned {
  let output = ''
  let errors = ''
  child.stdin?.end(input)
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const saw = (pattern: RegExp) =>
    sawText(
      () => output,
      exited,
      pattern,
      () => output + errors,
    )
  return {
    child,
    output: () => output,
    errors: () => errors,
    ready: async () => (await saw(readyLine))[1] ?? '',
    saw,
    exited,
  }
}

async function sawText(
  read: () => string,
  exited: Promise<unknown>,
  pattern: RegExp,
  all: () => string,
): Promise<RegExpMatchArray> {
  const untilMs = Date.now() + readyTimeoutMs
  let hasEnded = false
  void exited.then(() => {
    hasEnded = true
  })
  for (;;) {
    const match = read().match(pattern)
    if (match) return match
    if (hasEnded) throw new Error(`It ended before ${pattern}:\n${all()}`)
    if (Date.now() > untilMs) throw new Error(`No ${pattern} in ${readyTimeoutMs} ms:\n${all()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
