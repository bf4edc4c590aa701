import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import { client } from '../api/client.ts'
import { createLiveStream, type LiveMessage, type LiveState } from './live-stream.ts'

/** The event stream of this page. */
export const live = createLiveStream(client)

/** A tab that was hidden for this long gives its connection back. */
const hiddenPauseMs = 60_000

/** Pauses the stream while the tab is out of sight; answers a function that stops watching. */
export function pauseWhileHidden(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const watch = () => {
    clearTimeout(timer)
    if (document.visibilityState === 'hidden') timer = setTimeout(() => live.pause(), hiddenPauseMs)
    else live.resume()
  }
  document.addEventListener('visibilitychange', watch)
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', watch)
  }
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(live.subscribe, live.state)
}

/** Hands every message of the stream to `listener` while the component is mounted. */
export function useLiveMessages(listener: (message: LiveMessage) => void): void {
  const onMessage = useEffectEvent(listener)
  useEffect(() => live.listen((message) => onMessage(message)), [])
}
