import { Worker } from 'node:worker_threads'
import type { Outcome } from '../outcome.ts'
import { type Refusal, unavailable } from '../refusal.ts'
import type { Apply } from '../write-queue.ts'

const closeTimeoutMs = 10_000

/** The thread that writes, as the serving loop sees it. */
export class WriterThread {
  readonly #worker: Worker
  // In the order of the messages: an answer that comes too late must not be taken for the next one's.
  #pending: PromiseWithResolvers<string>[] = []
  #death: Refusal | undefined
  #isClosing = false
  #onDeath: ((error: Refusal) => void) | undefined

  /** Starts the thread, which loads its code while the caller does other things; then `open` it. */
  constructor() {
    this.#worker = new Worker(new URL('./writer-thread.ts', import.meta.url))
    this.#worker.on('message', (answer: string) => this.#pending.shift()?.resolve(answer))
    this.#worker.on('error', (error) => this.#died(error))
    this.#worker.on('exit', (code) => this.#died(new Error(`The writer thread ended with ${code}`)))
    this.#worker.unref()
  }

  /** Resolves when the file can be written to; `onDeath` is called once if the thread ends unasked after that. */
  async open(file: string, onDeath: (error: Refusal) => void): Promise<void> {
    await this.#ask(file)
    this.#onDeath = onDeath
  }

  readonly apply: Apply = async (commands) => {
    const outcomes: Outcome[] = JSON.parse(await this.#ask(`[${commands.join(',')}]`))
    return outcomes
  }

  /** @throws store_unavailable once the thread has died */
  check(): void {
    if (this.#death) throw this.#death
  }

  async close(): Promise<void> {
    if (this.#isClosing || this.#death) return
    this.#isClosing = true
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()))
    this.#worker.postMessage('close')
    const timer = setTimeout(() => void this.#worker.terminate(), closeTimeoutMs)
    await ended
    clearTimeout(timer)
  }

  async #ask(message: string): Promise<string> {
    this.check()
    const answer = Promise.withResolvers<string>()
    this.#pending.push(answer)
    // Only a message under way keeps the process alive.
    this.#worker.ref()
    this.#worker.postMessage(message)
    try {
      return await answer.promise
    } finally {
      if (this.#pending.length === 0) this.#worker.unref()
    }
  }

  #died(cause: unknown): void {
    if (this.#isClosing || this.#death) return
    const error = unavailable('The writer of the database has stopped. Restart the server.', cause)
    this.#death = error
    for (const { reject } of this.#pending) reject(error)
    this.#pending = []
    this.#onDeath?.(error)
  }
}
