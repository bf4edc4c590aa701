import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { guardedCommand, stopGuarded } from './guarded.ts'

type Answer = { ready?: true; id?: number; value?: unknown; error?: string }
type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }

const startTimeoutMs = 60_000
const closeTimeoutMs = 5_000

/** The parent's side of `contestant.ts`. */
export class Child {
  readonly name: string
  readonly process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  private constructor(name: string, child: ChildProcess) {
    this.name = name
    this.process = child
    child.on('message', (answer: Answer) => this.#settle(answer))
    child.once('exit', (code, signal) => this.#fail(new Error(`${name} ended with ${code ?? signal}`)))
  }

  static async start(name: string, options: object, timeoutMs = startTimeoutMs): Promise<Child> {
    const file = join(import.meta.dirname, 'contestant.ts')
    const profiling = process.env.KYROS_BENCH_CPU_PROFILE === name ? ['--cpu-prof'] : []
    const flags = ['--expose-gc', '--disable-warning=DeprecationWarning', ...profiling]
    const program = [process.execPath, ...flags, file, name, JSON.stringify(options)]
    const [shell = 'sh', ...args] = guardedCommand(program)
    // What libraries print belongs to no figure; standard output is the report's.
    const child = spawn(shell, args, {
      stdio: ['pipe', 2, 2, 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', RESTATE_LOGGING: 'ERROR' },
    })
    const contestant = new Child(name, child)
    try {
      await contestant.#expect(0, timeoutMs)
      return contestant
    } catch (error) {
      await contestant.kill()
      throw error
    }
  }

  /** The caller knows what the method answers. @throws when it failed, took longer than `timeoutMs`, or the process ended */
  ask<T>(method: string, params: object, timeoutMs: number): Promise<T> {
    const id = this.#nextId++
    const answered = this.#expect<T>(id, timeoutMs)
    this.process.send({ id, method, params })
    return answered
  }

  async close(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const timeout = AbortSignal.timeout(2 * closeTimeoutMs)
    const ended = once(this.process, 'exit', { signal: timeout }).catch(() => {})
    // It exits after its answer, and writes its profile then, if it has one.
    await this.ask('close', {}, closeTimeoutMs).then(
      () => ended,
      () => {},
    )
    await this.kill()
  }

  /** SIGKILL, as a crash would. */
  kill(): Promise<void> {
    return stopGuarded(this.process)
  }

  #expect<T>(id: number, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new Error(`${this.name} did not answer within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer })
    })
  }

  #settle({ ready, id = 0, value, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (error !== undefined) waiting.reject(new Error(`${this.name}: ${error}`))
    // Border cast: whoever asks names the type of the answer.
    else waiting.resolve((ready ?? value) as never)
  }

  #fail(error: Error): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#waiting.clear()
  }
}
