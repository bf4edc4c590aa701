import { type FSWatcher, watch } from 'node:fs'

// Editors write a file in several steps, and programs several files.
const settleMs = 120
const retryMs = 2000
const source = /\.(m?[jt]s|json)$/
const notOurs = /(^|[\\/])(node_modules|\.[^\\/]+)[\\/]|\.test\.m?[jt]s$/

/**
 * Calls back when source files below a directory have changed and nothing more has for a moment, until `signal`
 * aborts. A directory that is not there yet, or goes away, is looked for every two seconds.
 */
export function watchDirectory(dir: string, onChange: () => void, signal: AbortSignal): void {
  let settling: NodeJS.Timeout | undefined
  let retry: NodeJS.Timeout | undefined
  let watcher: FSWatcher | undefined
  const changed = () => {
    clearTimeout(settling)
    settling = setTimeout(onChange, settleMs)
  }
  const open = (isAgain: boolean) => {
    try {
      watcher = watch(dir, { recursive: true }, (_kind, name) => {
        if (name !== null && source.test(name) && !notOurs.test(name)) changed()
      })
      watcher.on('error', openLater)
      if (isAgain) changed()
    } catch {
      openLater()
    }
  }
  const openLater = () => {
    watcher?.close()
    if (!signal.aborted) retry = setTimeout(() => open(true), retryMs)
  }
  open(false)
  signal.addEventListener('abort', () => {
    clearTimeout(settling)
    clearTimeout(retry)
    watcher?.close()
  })
}
