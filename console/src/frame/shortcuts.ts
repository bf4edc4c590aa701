import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'

export type Shortcut = { keys: string; label: string }

const active = new Map<symbol, Shortcut>()
const listeners = new Set<() => void>()
let snapshot: readonly Shortcut[] = []

function changed() {
  snapshot = [...active.values()]
  for (const listener of listeners) listener()
}

/** Runs `action` on a key while the component is mounted, unless someone is typing or a dialog is open. */
export function useShortcut(keys: string, label: string, action: (event: KeyboardEvent) => void): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (!matches(event, keys) || isBusy(event, keys)) return
    event.preventDefault()
    action(event)
  })
  useEffect(() => {
    const id = Symbol(keys)
    const listener = (event: KeyboardEvent) => onKey(event)
    active.set(id, { keys, label })
    changed()
    document.addEventListener('keydown', listener)
    return () => {
      active.delete(id)
      changed()
      document.removeEventListener('keydown', listener)
    }
  }, [keys, label])
}

/** Every shortcut that works right now, for the help. */
export function useActiveShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => snapshot,
  )
}

function matches(event: KeyboardEvent, keys: string): boolean {
  const wantsControl = keys.startsWith('Ctrl+')
  const hasControl = event.ctrlKey || event.metaKey
  const key = wantsControl ? keys.slice('Ctrl+'.length).toLowerCase() : keys
  return (
    hasControl === wantsControl && !event.altKey && (event.key === key || event.key.toLowerCase() === key)
  )
}

function isBusy(event: KeyboardEvent, keys: string): boolean {
  if (keys.startsWith('Ctrl+')) return false
  if (document.querySelector('dialog[open], .cds--modal.is-visible') !== null) return true
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.matches('input, textarea, select')) return true
  // Enter belongs to the button or link that has the focus.
  return keys === 'Enter' && target.closest('a, button, summary, [role="tab"]') !== null
}
