import { Worker } from 'node:worker_threads'
import { beforeFirstScope, whereNow } from './workflow-scope.ts'

export type StallWatchOptions = {
  /** How often the process says that it is alive, and is looked at. */
  readonly tickMs: number
  /** After so many ticks without a sign of life it is said who keeps it. */
  readonly patienceTicks: number
}

const usual: StallWatchOptions = { tickMs: 1000, patienceTicks: 10 }

/** Under this name the watching thread asks the process that stands still what it does. */
const askedAs = 'kyrosWhereNow'

/**
 * Watches from a thread whether this process still serves. Code of a definition or a step that never lets go of it, such
 * as an endless loop, cannot be ended from here; but the thread says on stderr whose code it is, and what to do.
 * The thread begins with the first such code. Gives what ends the watch.
 */
export function watchForStalls(options: StallWatchOptions = usual): () => void {
  let end: (() => void) | undefined
  let isOver = false
  beforeFirstScope(() => {
    if (!isOver) end = begin(options)
  })
  return () => {
    isOver = true
    end?.()
  }
}

function begin(options: StallWatchOptions): () => void {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const beating = setInterval(() => Atomics.add(beats, 0, 1), options.tickMs)
  beating.unref()
  Object.defineProperty(globalThis, askedAs, { value: whereNow, configurable: true })
  const workerData = { beats, askedAs, ...options }
  const thread = new Worker(new URL('./stall-thread.ts', import.meta.url), { workerData })
  // Nothing rests on it: without the thread the process serves as well, and only says less.
  thread.on('error', () => {}).unref()
  return () => {
    clearInterval(beating)
    void thread.terminate()
  }
}
