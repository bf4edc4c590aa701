import { useSyncExternalStore } from 'react'
import { useLiveState } from './live.ts'

type Ticker = { subscribe: (listener: () => void) => () => void; nowMs: () => number }

/** One timer for all that tick at the same rate, so that a thousand rows do not keep a thousand timers. */
function createTicker(everyMs: number): Ticker {
  const listeners = new Set<() => void>()
  let timer: ReturnType<typeof setInterval> | undefined
  let nowMs = Date.now()
  const tick = () => {
    nowMs = Date.now()
    for (const listener of listeners) listener()
  }
  return {
    subscribe(listener) {
      listeners.add(listener)
      timer ??= setInterval(tick, everyMs)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    nowMs() {
      // Without a timer nobody keeps the time: a component that mounts must not see the last one's.
      if (timer === undefined && Date.now() - nowMs > everyMs) nowMs = Date.now()
      return nowMs
    },
  }
}

const everySecond = createTicker(1_000)
const everyTenSeconds = createTicker(10_000)

/** The time, renewed every second, also while there is no connection. */
export function useWallClockMs(): number {
  return useSyncExternalStore(everySecond.subscribe, everySecond.nowMs)
}

/**
 * The time up to which the picture is true, renewed every second. It stands still while there is no connection: a
 * duration that went on would claim that the run still does.
 */
export function useNowMs(): number {
  const nowMs = useWallClockMs()
  const state = useLiveState()
  return state.kind === 'offline' ? Math.min(nowMs, state.sinceMs) : nowMs
}

/** The time, renewed every ten seconds: enough for "5 min ago". */
export function useSlowNowMs(): number {
  return useSyncExternalStore(everyTenSeconds.subscribe, everyTenSeconds.nowMs)
}
