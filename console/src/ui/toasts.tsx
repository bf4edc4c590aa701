import { ToastNotification } from '@carbon/react'
import { useSyncExternalStore } from 'react'
import { explainError } from '../api/explain-error.ts'

type Toast = { id: number; kind: 'success' | 'error'; title: string; detail: string }

const maxToasts = 4
const successMs = 5_000
const listeners = new Set<() => void>()
let toasts: readonly Toast[] = []
let nextId = 1

function show(toasted: Omit<Toast, 'id'>): number {
  const id = nextId++
  set([...toasts, { ...toasted, id }].slice(-maxToasts))
  return id
}

function set(next: readonly Toast[]) {
  toasts = next
  for (const listener of listeners) listener()
}

function dismiss(id: number) {
  set(toasts.filter((toast) => toast.id !== id))
}

/** Says that what the person asked for is done; goes away by itself. */
export function toastDone(title: string, detail = ''): void {
  const id = show({ kind: 'success', title, detail })
  setTimeout(() => dismiss(id), successMs)
}

/** Says that what the person asked for did not work; stays until it is closed. */
export function toastFailed(title: string, error: unknown): void {
  const { detail, requestId } = explainError(error)
  show({
    kind: 'error',
    title,
    detail: requestId === undefined ? detail : `${detail} (request ${requestId})`,
  })
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div className="k-toasts" aria-live="polite">
      {shown.map(({ id, kind, title, detail }) => (
        <ToastNotification
          key={id}
          kind={kind}
          lowContrast
          title={title}
          subtitle={detail}
          statusIconDescription={kind}
          onClose={() => {
            dismiss(id)
            return false
          }}
        />
      ))}
    </div>
  )
}
