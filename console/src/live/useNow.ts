import { useSyncExternalStore } from 'react'

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

/** The time, renewed every second. */
export function useNowMs(): number {
  return useSyncExternalStore(everySecond.subscribe, everySecond.nowMs)
}

/** The time, renewed every ten seconds: enough for "5 min ago". */
export function useSlowNowMs(): number {
  return useSyncExternalStore(everyTenSeconds.subscribe, everyTenSeconds.nowMs)
}
