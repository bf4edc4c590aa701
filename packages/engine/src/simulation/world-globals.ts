import crypto from 'node:crypto'
import { readFileSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { currentLife, type Scheduler } from './scheduler.ts'

const real = { setImmediate, now: Date.now, performanceNow: performance.now.bind(performance) }

/** Time of the machine, for measuring the simulation itself. */
export const realNowMs = real.performanceNow

/** Resolves when no microtask and no tick is left: only something from outside could go on now. */
export function drain(): Promise<void> {
  return new Promise((resolve) => real.setImmediate(resolve))
}

let world: Scheduler | undefined

/** From here on timers, clocks and dice of this process are those of `scheduler`. */
export function enterWorld(scheduler: Scheduler): void {
  world = scheduler
}

type Handle = { cancel: () => void; unref(): Handle; ref(): Handle; hasRef(): boolean }

function later(delayMs: number, what: string, run: () => void): Handle {
  const cancel = world?.after(delayMs, what, run, currentLife()) ?? (() => {})
  const handle: Handle = { cancel, unref: () => handle, ref: () => handle, hasRef: () => true }
  return handle
}

/**
 * Replaces everything by which code of this process could notice the real time or do real I/O in the middle of a world.
 * For a process that does nothing but simulate: it cannot be undone.
 */
export function replaceGlobals(): void {
  const cancel = (handle: Handle | undefined) => handle?.cancel()
  Object.assign(globalThis, {
    setTimeout: (run: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) =>
      later(delayMs, 'timeout', () => run(...args)),
    clearTimeout: cancel,
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) =>
      later(0, 'immediate', () => run(...args)),
    clearImmediate: cancel,
  })
  Date.now = () => world?.nowMs ?? real.now()
  performance.now = () => 0
  Math.random = () => world?.random.next() ?? 0.5
  Object.assign(crypto, {
    randomBytes: (size: number) =>
      Buffer.from(Uint8Array.from({ length: size }, () => world?.random.int(0, 255) ?? 0)),
    randomUUID: () =>
      `${String(world?.random.int(0, 99_999_999) ?? 0).padStart(8, '0')}-0000-4000-8000-000000000000`,
  })
  replaceFiles()
  syncBuiltinESMExports()
}

/** Reads of files answer at once and from memory; nothing is written or removed. */
function replaceFiles(): void {
  const contents = new Map<string, string | Buffer>()
  Object.assign(files, {
    readFile: async (path: string | URL, encoding?: BufferEncoding) => {
      const name = `${path} ${encoding ?? ''}`
      const known =
        contents.get(name) ?? (encoding === undefined ? readFileSync(path) : readFileSync(path, encoding))
      contents.set(name, known)
      return known
    },
    readdir: async () => [],
    rm: async () => {},
    mkdir: async () => undefined,
    writeFile: async () => {},
    rename: async () => {},
  })
}
