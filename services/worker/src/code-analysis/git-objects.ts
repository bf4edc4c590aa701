import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { StepError } from '@kyros/workflows/step-error'
import { type GitProgram, gitEnvironment, gitSettings, startFailure } from './git-command.ts'

export type ObjectInfo = { readonly kind: string; readonly bytes: number }

/** No folder and no file that is read is ever larger. */
const maxObjectBytes = 128_000_000

type Waiting = {
  resolve(value: { info: ObjectInfo | undefined; content: Buffer | undefined }): void
  reject(error: unknown): void
}

/** Asked for at once; more would only wait in pipes. */
export const maxPipelinedObjects = 256

/**
 * Reads objects of a repository through `git cat-file --batch`, which runs nothing of it. Answers come in the order
 * of the questions. The process ends when its input closes, so it dies with this one.
 */
export class GitObjects {
  readonly #info: BatchReader
  readonly #contents: BatchReader

  constructor(program: GitProgram, env: { [name: string]: string }, cwd: string, signal: AbortSignal) {
    this.#info = new BatchReader(program, '--batch-check', env, cwd, signal)
    this.#contents = new BatchReader(program, '--batch', env, cwd, signal)
  }

  /** Kind and size, or undefined when the object is missing or broken. */
  async info(hash: string): Promise<ObjectInfo | undefined> {
    return (await this.#info.ask(hash)).info
  }

  /** A tree, without asking for its size first: that would double the time for repositories of many folders. */
  async tree(hash: string): Promise<Buffer | undefined> {
    const { info, content } = await this.#contents.ask(hash)
    return info?.kind === 'tree' ? content : undefined
  }

  /** The whole object in memory; ask for its size first. */
  async content(hash: string): Promise<Buffer | undefined> {
    return (await this.#contents.ask(hash)).content
  }

  close(): void {
    this.#info.close()
    this.#contents.close()
  }
}

class BatchReader {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #withContent: boolean
  readonly #waiting: Waiting[] = []
  #chunks: Buffer[] = []
  #buffered = 0
  #needed = 0
  #failure: unknown

  constructor(
    program: GitProgram,
    mode: string,
    env: { [name: string]: string },
    cwd: string,
    signal: AbortSignal,
  ) {
    this.#withContent = mode === '--batch'
    this.#child = spawn(program.gitPath, [...gitSettings, 'cat-file', mode], {
      cwd,
      env: gitEnvironment(program, env),
      stdio: ['pipe', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    })
    this.#child.once('error', (error) =>
      this.#fail(signal.aborted ? signal.reason : startFailure(program, error)),
    )
    this.#child.once('close', () => this.#fail(brokenRepository()))
    this.#child.stdin.on('error', () => this.#fail(brokenRepository()))
    this.#child.stderr.resume()
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  ask(hash: string): Promise<{ info: ObjectInfo | undefined; content: Buffer | undefined }> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${hash}\n`)
    })
  }

  close(): void {
    this.#child.stdin.end()
    this.#child.kill('SIGKILL')
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    // Joining on every chunk would copy a large object again and again.
    if (this.#buffered < this.#needed) return
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    for (;;) {
      const used = this.#takeAnswer(rest)
      if (used === 0) break
      rest = rest.subarray(used)
    }
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#buffered = rest.length
  }

  /** Bytes used by one whole answer at the start of `data`, or 0 when it is not complete yet. */
  #takeAnswer(data: Buffer): number {
    const lineEnd = data.indexOf(10)
    if (lineEnd === -1) {
      this.#needed = data.length + 1
      return 0
    }
    const [, kind = '', size = ''] = data.toString('latin1', 0, lineEnd).split(' ')
    const isObject = /^\d+$/.test(size)
    if (!isObject || !this.#withContent) {
      const info = isObject ? { kind, bytes: Number(size) } : undefined
      this.#waiting.shift()?.resolve({ info, content: undefined })
      this.#needed = 0
      return lineEnd + 1
    }
    const total = lineEnd + 1 + Number(size) + 1
    if (total > maxObjectBytes) {
      this.#fail(brokenRepository())
      this.#child.kill('SIGKILL')
      return 0
    }
    if (data.length < total) {
      this.#needed = total
      return 0
    }
    const content = Buffer.from(data.subarray(lineEnd + 1, total - 1))
    this.#waiting.shift()?.resolve({ info: { kind, bytes: Number(size) }, content })
    this.#needed = 0
    return total
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure)
  }
}

function brokenRepository(): StepError {
  return new StepError(
    'repository_broken',
    'Git stopped while it read the repository. Run "git fsck" in it, repair what it names, and run this again.',
    { retryable: false },
  )
}
