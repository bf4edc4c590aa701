import { Worker } from 'node:worker_threads'
import { type Outcome, unavailable } from '../outcome.ts'
import type { Apply } from '../write-queue.ts'

const closeTimeoutMs = 10_000

export type WriterThread = {
  apply: Apply
  /** @throws store_unavailable once the thread has died */
  check(): void
  close(): Promise<void>
}

/** Starts the writer thread; `onDeath` is called once if it ends without being asked to. */
export async function startWriterThread(
  file: string,
  onDeath: (error: Error) => void,
): Promise<WriterThread> {
  const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: file })
  // In the order of the messages: an answer that comes too late must not be taken for the next one's.
  let pending = [Promise.withResolvers<string>()]
  let isClosing = false
  let death: Error | undefined
  const died = (cause: unknown) => {
    if (isClosing || death) return
    const error = unavailable('The writer of the database has stopped. Restart the server.', cause)
    death = error
    for (const { reject } of pending) reject(error)
    pending = []
    onDeath(error)
  }
  worker.on('message', (message: string) => pending.shift()?.resolve(message))
  worker.on('error', died)
  worker.on('exit', (code) => died(new Error(`The writer thread ended with ${code}`)))
  await pending[0]?.promise
  // Only a batch under way keeps the process alive.
  worker.unref()

  return {
    async apply(commands) {
      if (death) throw death
      const answer = Promise.withResolvers<string>()
      pending.push(answer)
      worker.ref()
      worker.postMessage(`[${commands.join(',')}]`)
      const outcomes: Outcome[] = JSON.parse(await answer.promise)
      if (pending.length === 0) worker.unref()
      return outcomes
    },
    check() {
      if (death) throw death
    },
    async close() {
      if (isClosing || death) return
      isClosing = true
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      worker.postMessage('close')
      const timer = setTimeout(() => void worker.terminate(), closeTimeoutMs)
      await ended
      clearTimeout(timer)
    },
  }
}
