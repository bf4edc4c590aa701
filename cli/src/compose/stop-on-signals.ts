import type { Log } from '@kyros/kernel/log'
import type { Serving } from '@kyros/kernel/serve'
import { exitCode } from '../command-line/exit-code.ts'

export type SignalStop = {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** What a signal stops from now on; one that came before stops it at once. */
  attach(serving: Serving, log: Log): void
  /** Whether a second signal cut the drain short. */
  wasHurried(): boolean
  end(): void
}

/**
 * Within this time a second signal is taken for the first one again: at a terminal both npm and the terminal itself
 * pass Ctrl-C on.
 */
const sameSignalMs = 500
/** How long a start that was told to stop may still take until there is something to stop. */
const maxStartMs = 8_000

const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * SIGTERM and SIGINT drain; a second one stops at once. To be called before anything is loaded or opened: a start
 * that is told to stop ends as cleanly as a server.
 */
export function stopOnSignals(): SignalStop {
  const abort = new AbortController()
  let stop: ((reason: string) => void) | undefined
  let first: { name: string; atMs: number } | undefined
  let isHurried = false
  let late: NodeJS.Timeout | undefined
  const onSignal = (name: NodeJS.Signals) => {
    const nowMs = performance.now()
    if (first !== undefined && nowMs - first.atMs < sameSignalMs) return
    isHurried = first !== undefined
    first ??= { name, atMs: nowMs }
    abort.abort()
    if (stop !== undefined) stop(name)
    else if (isHurried) process.exit(exitCode.interrupted)
    else late = setTimeout(() => process.exit(exitCode.interrupted), maxStartMs)
  }
  for (const name of names) process.on(name, onSignal)
  return {
    signal: abort.signal,
    attach: (serving, log) => {
      clearTimeout(late)
      stop = (reason) => {
        serving.stop(reason).catch((error: unknown) => log.error({ err: error }, 'stop failed'))
      }
      if (first !== undefined) stop(first.name)
    },
    wasHurried: () => isHurried,
    end: () => {
      clearTimeout(late)
      for (const name of names) process.off(name, onSignal)
    },
  }
}
