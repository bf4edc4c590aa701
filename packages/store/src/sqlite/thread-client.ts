import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Failure } from '../outcome.ts'
import { type Refusal, unavailable } from '../refusal.ts'
import { fromFailure } from '../store-error.ts'
import type { Wire } from '../wire.ts'
import type { Apply } from '../write-queue.ts'
import { decodeReply, type Reply } from './thread-reply.ts'
import {
  answeredAt,
  type Control,
  createSignal,
  postedAt,
  stillLags,
  type WriterData,
} from './thread-signal.ts'

const closeTimeoutMs = 10_000
/** How long the loop looks out for the answer to a lone write before it waits to be woken up. */
const awakeMs = 0.3
/** A larger batch takes its time, and who waits for many has other things to do. */
const smallWire = 64

type Answer = Reply | string

/** The thread that writes, as the serving loop sees it. */
export class WriterThread {
  readonly #signal = createSignal()
  readonly #port: MessagePort
  readonly #worker: Worker
  // In the order of the messages: an answer that comes too late must not be taken for the next one's.
  #pending: PromiseWithResolvers<Answer>[] = []
  #answered = 0
  #lags = false
  #projecting: Promise<void> | undefined
  #death: Refusal | undefined
  #isClosing = false
  #onDeath: ((error: Refusal) => void) | undefined

  /** Starts the thread, which loads its code while the caller does other things; then `open` it. */
  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const workerData: WriterData = { port: port2, signal: this.#signal }
    const options = { workerData, transferList: [port2] }
    this.#worker = new Worker(new URL('./writer-thread.ts', import.meta.url), options)
    this.#worker.on('error', (error) => this.#died(error))
    this.#worker.on('exit', (code) => this.#died(new Error(`The writer thread ended with ${code}`)))
    this.#worker.unref()
    this.#port.on('message', (answer: Answer) => this.#take(answer))
    this.#port.unref()
  }

  /** Resolves when the file can be written to; `onDeath` is called once if the thread ends unasked after that. */
  async open(file: string, onDeath: (error: Refusal) => void): Promise<void> {
    refuseFailure(await this.#ask({ open: file }))
    this.#onDeath = onDeath
  }

  readonly apply: Apply = async (wire) => {
    const asked = this.#ask(wire)
    if (wire.length < smallWire && this.#pending.length === 1) this.#lookOut()
    const reply = await asked
    // Only messages of control are answered with text.
    return typeof reply === 'string' ? [] : decodeReply(reply)
  }

  /** Resolves when the tables of runs and jobs hold what was answered before. */
  current(): Promise<void> | undefined {
    if (!this.#lags) return undefined
    // One that is under way covers every answer that came before its own: messages are worked off in order.
    this.#projecting ??= this.#ask('project')
      .then(refuseFailure)
      .finally(() => {
        this.#projecting = undefined
      })
    return this.#projecting
  }

  /** @throws store_unavailable once the thread has died */
  check(): void {
    if (this.#death) throw this.#death
  }

  async close(): Promise<void> {
    if (this.#isClosing || this.#death) return
    this.#isClosing = true
    this.#worker.ref()
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()))
    this.#post('close')
    const timer = setTimeout(() => void this.#worker.terminate(), closeTimeoutMs)
    await ended
    clearTimeout(timer)
    this.#port.close()
  }

  #ask(message: Wire | Control): Promise<Answer> {
    if (this.#death) return Promise.reject(this.#death)
    const answer = Promise.withResolvers<Answer>()
    // Only a message under way keeps the process alive.
    if (this.#pending.push(answer) === 1) this.#worker.ref()
    this.#post(message)
    return answer.promise
  }

  #post(message: Wire | Control): void {
    this.#port.postMessage(message)
    Atomics.add(this.#signal, postedAt, 1)
  }

  #take(answer: Answer): void {
    this.#answered++
    if (typeof answer === 'string') this.#lags = answer === stillLags
    else this.#lags = answer[0] === 1
    this.#pending.shift()?.resolve(answer)
    if (this.#pending.length === 0) this.#worker.unref()
  }

  /** The answer to a lone write comes sooner than the loop could be woken up for it. */
  #lookOut(): void {
    const until = performance.now() + awakeMs
    const look = () => {
      if (this.#pending.length === 0) return
      if (Atomics.load(this.#signal, answeredAt) !== this.#answered) {
        const received = receiveMessageOnPort(this.#port)
        if (received !== undefined) this.#take(received.message)
      } else if (performance.now() < until) setImmediate(look)
    }
    setImmediate(look)
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

/** @throws the failure that an answer to a message of control tells of */
function refuseFailure(answer: Answer): void {
  if (typeof answer !== 'string' || answer === '' || answer === stillLags) return
  const failure: Failure = JSON.parse(answer)
  throw fromFailure(failure)
}
