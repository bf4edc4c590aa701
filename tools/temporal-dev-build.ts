// Builds the Temporal CLI with Go from the module in tools/temporal-dev, once for each state of that module.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { moduleDirectory } from './find-temporal.js'
import { spawnGuarded } from './temporal-dev-guard.ts'

const target = 'github.com/temporalio/cli/cmd/temporal'
const buildTimeoutMs = 20 * 60_000
const lockTimeoutMs = buildTimeoutMs + 60_000
const lockRetryMs = 500
const progressMs = 15_000
const maxLogBytes = 64 * 1024

/** What a person can mend; its message says how. */
export class TemporalBuildError extends Error {}

type Say = (line: string) => void

/** What Go's output means for the person in front of it. */
const explanations: readonly (readonly [RegExp, string])[] = [
  [
    /toolchain not available|download go1[.\d]+ .*: (?!dial|Get)/,
    'Go could not fetch the toolchain that this module wants: install Go 1.25 or newer.',
  ],
  [
    /dial tcp|no such host|connection refused|TLS handshake|i\/o timeout|proxyconnect/,
    'The Go module proxy cannot be reached: check the network and `go env GOPROXY`.',
  ],
  [/no space left on device/, 'The disk is full: the build needs about 5 GB, the finished CLI 200 MB.'],
  [/checksum mismatch|missing go\.sum entry/, 'A module differs from tools/temporal-dev/go.sum.'],
]

/**
 * Holds an open exclusive transaction, which the system ends with its process, also at SIGKILL. Undefined: another has it.
 */
function tryLock(path: string): (() => void) | undefined {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return () => lock.close()
  } catch (error) {
    lock.close()
    if (error instanceof Error && /locked|busy/.test(error.message)) return undefined
    throw error
  }
}

async function takeLock(directory: string, say: Say): Promise<() => void> {
  const deadline = Date.now() + lockTimeoutMs
  for (let isFirst = true; Date.now() < deadline; isFirst = false) {
    const release = tryLock(join(directory, 'lock.db'))
    if (release) return release
    if (isFirst) say('another process builds the Temporal CLI; waiting for it')
    await new Promise((resolve) => setTimeout(resolve, lockRetryMs))
  }
  throw new TemporalBuildError(`Another build has not ended in ${lockTimeoutMs / 60_000} minutes.`)
}

function pinnedVersion(): string {
  const found = /github\.com\/temporalio\/cli v(\S+)/.exec(
    readFileSync(join(moduleDirectory, 'go.mod'), 'utf8'),
  )
  if (!found?.[1]) throw new TemporalBuildError('tools/temporal-dev/go.mod does not name the Temporal CLI')
  return found[1]
}

/** Variables of the developer's other work would build something else: flags, workspaces, cgo, another platform. */
function buildEnvironment(env: NodeJS.ProcessEnv, work: string): NodeJS.ProcessEnv {
  const { GOOS: _os, GOARCH: _arch, ...rest } = env
  return {
    ...rest,
    // Distributions forbid Go to fetch a newer toolchain; who says so in the environment is obeyed.
    GOTOOLCHAIN: env.GOTOOLCHAIN ?? 'auto',
    GOFLAGS: '',
    GOWORK: 'off',
    CGO_ENABLED: '0',
    GOTMPDIR: work,
  }
}

function explain(log: string): string {
  const reason = explanations.find(([pattern]) => pattern.test(log))?.[1]
  const tail = log.trim().split('\n').slice(-8)
  return [...(reason ? [reason] : []), ...tail.map((line) => `  ${line}`)].join('\n')
}

/** Runs Go; each line on its stderr is a module fetched or a package compiled, which is the progress there is. */
async function runGo(go: string, output: string, env: NodeJS.ProcessEnv, say: Say): Promise<void> {
  const version = pinnedVersion()
  const stamp = `-s -w -X github.com/temporalio/cli/temporalcli.Version=${version}`
  const args = ['build', '-v', '-mod=readonly', '-trimpath', '-buildvcs=false', `-ldflags=${stamp}`]
  say(`building the Temporal CLI ${version} with ${go}: minutes, once …`)
  const { child, ended, stop } = spawnGuarded([go, ...args, '-o', output, target], {
    cwd: moduleDirectory,
    env,
  })
  let log = ''
  let lines = 0
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      log = (log + chunk).slice(-maxLogBytes)
      lines += chunk.toString().split('\n').length - 1
    })
  const progress = setInterval(() => say(`… ${lines} modules and packages done`), progressMs)
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    void stop()
  }, buildTimeoutMs)
  const code = await ended
  clearInterval(progress)
  clearTimeout(deadline)
  if (isLate) throw new TemporalBuildError(`The build did not end in ${buildTimeoutMs / 60_000} minutes.`)
  if (code !== 0) throw new TemporalBuildError(`The build of the Temporal CLI failed.\n${explain(log)}`)
}

/**
 * Builds the CLI to `path` unless it is there; resolves when it is. Processes that want the same wait for each other, and
 * a build that was cut off leaves nothing that looks finished.
 * @throws {TemporalBuildError} with what to do
 */
export async function buildTemporal(
  source: { readonly go: string; readonly path: string },
  env: NodeJS.ProcessEnv,
  say: Say,
): Promise<void> {
  const directory = dirname(source.path)
  mkdirSync(directory, { recursive: true })
  const release = await takeLock(directory, say)
  const work = join(directory, 'work')
  try {
    if (existsSync(source.path)) return
    // What a build that was killed left behind.
    rmSync(work, { recursive: true, force: true })
    mkdirSync(work)
    const started = Date.now()
    await runGo(source.go, join(work, 'temporal'), buildEnvironment(env, work), say)
    renameSync(join(work, 'temporal'), source.path)
    say(`built ${source.path} in ${Math.round((Date.now() - started) / 1000)} s`)
  } finally {
    rmSync(work, { recursive: true, force: true })
    release()
  }
}
