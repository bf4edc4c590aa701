import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LoadOptions } from '../load/load-process.ts'
import type { Random } from '../load/random.ts'
import { startLoad } from '../load/start-load.ts'
import { type Operation, readRecording } from './recording.ts'

const source = fileURLToPath(new URL('./record-writes.c', import.meta.url))
const compilers = ['cc', 'gcc', 'clang']
const readyMs = 30_000
const settleMs = 60_000
const openRuns = 16

/** Compiles the recorder. @throws when there is no C compiler, with what to do */
export function compileRecorder(directory: string): string {
  const library = join(directory, 'record-writes.so')
  for (const compiler of compilers) {
    try {
      execFileSync(compiler, ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl', '-pthread'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      return library
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  throw new Error('Recording writes needs a C compiler: `apt-get install gcc libc6-dev`.')
}

/**
 * Runs three lives of a process on one data directory and records what they write: two are killed while they work, the
 * last brings everything to its end and closes. Returns the operations, and the directory they are below.
 */
export async function recordLoad(
  directory: string,
  runs: number,
  random: Random,
): Promise<{ root: string; operations: Operation[] }> {
  const root = join(directory, 'root')
  mkdirSync(root)
  const recording = join(directory, 'recording')
  const options: LoadOptions = {
    dataDir: join(root, 'data'),
    scratchDir: join(directory, 'scratch'),
    recordFile: join(root, 'records'),
    seed: 0,
    openRuns,
  }
  writeFileSync(recording, '')
  const environment = {
    LD_PRELOAD: compileRecorder(directory),
    KYROS_RECORD_ROOT: root,
    KYROS_RECORD_FILE: recording,
    UV_USE_IO_URING: '0',
  }
  for (const part of [0.35, 0.7, 1]) {
    const maxRuns = Math.round(runs * part)
    const child = startLoad({ ...options, maxRuns, seed: random.integer(0, 2 ** 31) }, environment)
    await child.until('ready', readyMs)
    if (part === 1) await child.until('settled', settleMs)
    else await Promise.race([child.until('settled', settleMs), delay(random.integer(300, 900))])
    await child.end(part === 1 ? 'SIGTERM' : 'SIGKILL')
  }
  return { root, operations: readRecording(readFileSync(recording)) }
}
