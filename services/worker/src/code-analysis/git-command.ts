import { spawn } from 'node:child_process'
import { StepError } from '@kyros/workflows/step-error'
import type { AnalysisEnvironment } from './environment.ts'

export type GitProgram = {
  readonly gitPath: string
  readonly environment: AnalysisEnvironment
}

/**
 * Settings in front of every Git command. They win over every file, and no repository's file is read anyway:
 * commands run in a directory of our own (see `object-source.ts`).
 */
export const gitSettings: readonly string[] = [
  '--no-pager',
  ...[
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.untrackedCache=false',
    'core.attributesFile=/dev/null',
    'core.alternateRefsCommand=false',
    'core.commitGraph=false',
    'credential.helper=',
    'protocol.allow=never',
    'submodule.recurse=false',
    'fetch.recurseSubmodules=false',
    'gc.auto=0',
    'maintenance.auto=false',
    'transfer.fsckObjects=false',
    'lfs.fetchexclude=*',
  ].flatMap((setting) => ['-c', setting]),
]

/** The whole environment of a Git command: nothing of ours is inherited, nothing asks, nothing is loaded. */
export function gitEnvironment(
  program: GitProgram,
  extra: { readonly [name: string]: string } = {},
): { [name: string]: string } {
  return {
    PATH: program.environment.path,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_OPTIONAL_LOCKS: '0',
    // A promisor remote would otherwise be asked for missing objects, with a transport that the repository chose.
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_LFS_SKIP_SMUDGE: '1',
    ...extra,
  }
}

export type GitResult = { readonly exitCode: number | null; readonly stdout: Buffer; readonly stderr: string }

/**
 * Runs one short Git command that only reads.
 * @throws git_missing when there is no git, git_failed when it takes too long or says too much
 */
export async function runGit(
  program: GitProgram,
  args: readonly string[],
  bounds: {
    signal: AbortSignal
    timeoutMs: number
    maxOutputBytes: number
    cwd: string
    env?: { [name: string]: string }
  },
): Promise<GitResult> {
  bounds.signal.throwIfAborted()
  const child = spawn(program.gitPath, [...gitSettings, ...args], {
    cwd: bounds.cwd,
    env: gitEnvironment(program, bounds.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: bounds.signal,
    timeout: bounds.timeoutMs,
    killSignal: 'SIGKILL',
  })
  const chunks: Buffer[] = []
  let bytes = 0
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bounds.maxOutputBytes) child.kill('SIGKILL')
    else chunks.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 16_000) stderr += chunk.toString('utf8')
  })
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(startFailure(program, error)))
    child.once('close', (code) => resolve(code))
  })
  return { exitCode, stdout: Buffer.concat(chunks), stderr }
}

/** Turns "could not start git" into words; an abort stays an abort. */
export function startFailure(program: GitProgram, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'EACCES') {
    return new StepError(
      'git_missing',
      `The program "${program.gitPath}" cannot be started. Install Git (2.36 or newer) and run this again.`,
      { retryable: false, cause: error },
    )
  }
  return error
}
