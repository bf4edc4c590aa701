import type { Log } from '@kyros/kernel/log'
import type { Serving } from '@kyros/kernel/serve'

export type SignalStop = {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** Whether a second signal cut the drain short. */
  wasHurried(): boolean
  end(): void
}

/**
 * Within this time a second signal is taken for the first one again: at a terminal both npm and the terminal itself
 * pass Ctrl-C on.
 */
const sameSignalMs = 500

/** SIGTERM and SIGINT drain; a second one stops at once. */
export function stopOnSignals(serving: Serving, log: Log): SignalStop {
  const abort = new AbortController()
  let firstAtMs: number | undefined
  let isHurried = false
  const onSignal = (name: NodeJS.Signals) => {
    const nowMs = performance.now()
    if (firstAtMs !== undefined && nowMs - firstAtMs < sameSignalMs) return
    isHurried = firstAtMs !== undefined
    firstAtMs ??= nowMs
    abort.abort()
    serving.stop(name).catch((error: unknown) => log.error({ err: error }, 'stop failed'))
  }
  const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  for (const name of names) process.on(name, onSignal)
  return {
    signal: abort.signal,
    wasHurried: () => isHurried,
    end: () => {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
