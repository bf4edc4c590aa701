import { access, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { loadTimeoutMs } from './untrusted-module.ts'

/** Loads modules in a thread first: one that never lets go of its thread, or ends the process, does so there. */
export type TrialLoads = {
  /** Why the module at `path` must not be loaded; undefined: it may. One that passed once is not tried again. */
  faultOf(path: string): Promise<string | undefined>
  /** Ends the thread, which nothing else does. */
  close(): Promise<void>
}

const maxTrialMb = 256

/** `timeoutMs`: how long one module may take. */
export function createTrialLoads(timeoutMs = loadTimeoutMs): TrialLoads {
  let thread: Worker | undefined
  let line: Promise<unknown> = Promise.resolve()
  const end = async () => {
    const ended = thread
    thread = undefined
    await ended?.terminate()
  }
  const load = async (path: string): Promise<string | undefined> => {
    thread ??= startThread()
    const fault = await outcomeOf(thread, path, timeoutMs)
    if (fault !== undefined) await end()
    return fault
  }
  return {
    faultOf: async (path) => {
      const mark = `${path}.tried`
      if (await exists(mark)) return undefined
      const mine = line.then(() => load(path))
      line = mine.catch(() => undefined)
      const fault = await mine
      if (fault === undefined) await writeFile(mark, '')
      return fault
    },
    close: end,
  }
}

function startThread(): Worker {
  const thread = new Worker(new URL('./trial-thread.ts', import.meta.url), {
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: maxTrialMb },
  })
  // What a module prints is of no use while it is only tried, and an error between two belongs to neither.
  thread.stdout.resume()
  thread.stderr.resume()
  return thread.on('error', () => undefined)
}

function outcomeOf(thread: Worker, path: string, timeoutMs: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const late = `it was still loading after ${timeoutMs / 1000} s`
  const timer = setTimeout(() => resolve(late), timeoutMs)
  const over = () => resolve(undefined)
  const gone = () => resolve('it ends the process')
  const overflowed = () =>
    resolve(`it threw from outside of its own lines, or took more than ${maxTrialMb} MB`)
  thread.once('message', over).once('error', overflowed).once('exit', gone)
  thread.postMessage(pathToFileURL(path).href)
  return promise.finally(() => {
    clearTimeout(timer)
    thread.off('message', over).off('error', overflowed).off('exit', gone)
  })
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
