import { useEffect, useEffectEvent, useRef } from 'react'

/** Answers a function that runs `action` at most once per `everyMs`, and once more after the last call. */
export function useCoalesced(action: () => void, everyMs: number): () => void {
  const run = useEffectEvent(action)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const lastMs = useRef(0)
  const trigger = useRef<() => void>(() => undefined)
  useEffect(() => {
    trigger.current = () => {
      if (timer.current !== undefined) return
      const dueMs = Math.max(0, lastMs.current + everyMs - Date.now())
      timer.current = setTimeout(() => {
        timer.current = undefined
        lastMs.current = Date.now()
        run()
      }, dueMs)
    }
    return () => {
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [everyMs])
  return useRef(() => trigger.current()).current
}
