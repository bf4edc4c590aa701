import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { unavailable } from '../refusal.ts'
import type { Row, SqlValue } from '../statement.ts'

export type ReaderData = { port: MessagePort; file: string }
export type ReaderQuery = { sql: string; parameters: readonly SqlValue[] }
export type ReaderReply = { rows: readonly Row[] } | { error: unknown }

const maxPending = 100

type Asked = PromiseWithResolvers<readonly Row[]> & { timer: NodeJS.Timeout }
type Running = { port: MessagePort; worker: Worker }

/**
 * The thread that reads what may take long, as the serving loop sees it. It starts with the first query, and again
 * after one that took too long: nothing but its end interrupts a scan.
 */
export class ReaderThread {
  readonly #file: string
  readonly #timeoutMs: number
  #running: Running | undefined
  // In the order of the messages, which is that of the answers.
  #pending: Asked[] = []
  #isClosed = false

  constructor(file: string, timeoutMs = 30_000) {
    this.#file = file
    this.#timeoutMs = timeoutMs
  }

  /** @throws store_unavailable when it takes longer than the timeout, too many wait, or the thread has ended */
  query(sql: string, parameters: readonly SqlValue[]): Promise<readonly Row[]> {
    if (this.#isClosed) return Promise.reject(unavailable('The store is closed.'))
    if (this.#pending.length >= maxPending)
      return Promise.reject(unavailable('Too many searches wait. Try again in a moment.'))
    const running = this.#start()
    const late = unavailable('The search takes too long. Narrow it with a filter or a later start.')
    const asked: Asked = {
      ...Promise.withResolvers<readonly Row[]>(),
      timer: setTimeout(() => this.#end(late), this.#timeoutMs).unref(),
    }
    // Only a query under way keeps the process alive.
    if (this.#pending.push(asked) === 1) running.worker.ref()
    const query: ReaderQuery = { sql, parameters }
    running.port.postMessage(query)
    return asked.promise
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end(unavailable('The store is closed.'))
  }

  #start(): Running {
    if (this.#running) return this.#running
    const { port1, port2 } = new MessageChannel()
    const workerData: ReaderData = { port: port2, file: this.#file }
    const worker = new Worker(new URL('./reader-thread.ts', import.meta.url), {
      workerData,
      transferList: [port2],
    })
    const running = { port: port1, worker }
    const ended = (cause: unknown) => {
      if (this.#running === running) void this.#end(unavailable('The database file cannot be read.', cause))
    }
    worker.on('error', ended)
    worker.on('exit', (code) => ended(new Error(`The reading thread ended with ${code}`)))
    worker.unref()
    port1.on('message', (reply: ReaderReply) => this.#take(running, reply))
    port1.unref()
    this.#running = running
    return running
  }

  #take(running: Running, reply: ReaderReply): void {
    if (this.#running !== running) return
    const asked = this.#pending.shift()
    clearTimeout(asked?.timer)
    if ('error' in reply) asked?.reject(reply.error)
    else asked?.resolve(reply.rows)
    if (this.#pending.length === 0) running.worker.unref()
  }

  async #end(reason: Error): Promise<void> {
    const [running, refused] = [this.#running, this.#pending]
    this.#running = undefined
    this.#pending = []
    for (const { timer, reject } of refused) {
      clearTimeout(timer)
      reject(reason)
    }
    running?.port.close()
    await running?.worker.terminate()
  }
}
