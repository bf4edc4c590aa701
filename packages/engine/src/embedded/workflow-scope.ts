import { AsyncLocalStorage } from 'node:async_hooks'

type Owner = { onLog(level: 'warn', message: string): void }
type Scope = { owner: Owner; shielded: boolean }

const scopes = new AsyncLocalStorage<Scope>()

/** Runs workflow code so that everything it starts, also later, is known to belong to `owner`. */
export function inScope<T>(owner: Owner, shielded: boolean, body: () => T): T {
  return scopes.run({ owner, shielded }, body)
}

/** True inside `context.shield`. */
export function isShielded(): boolean {
  return scopes.getStore()?.shielded ?? false
}

let guards = 0

/**
 * While any engine lives: a promise that workflow code rejects and never looks at is a warning in the log of its run,
 * not the end of the process. Rejections of anybody else keep their effect.
 */
export function guardRejections(): () => void {
  if (guards === 0) process.on('unhandledRejection', onUnhandledRejection)
  guards += 1
  let released = false
  return () => {
    if (released) return
    released = true
    guards -= 1
    if (guards === 0) process.off('unhandledRejection', onUnhandledRejection)
  }
}

function onUnhandledRejection(reason: unknown): void {
  const owner = scopes.getStore()?.owner
  if (owner !== undefined) {
    owner.onLog('warn', `Nothing in the definition handled this error: ${String(reason)}`)
  } else if (process.listenerCount('unhandledRejection') === 1) {
    // Ours is the only listener, and without it Node would have ended the process.
    throw reason
  }
}
