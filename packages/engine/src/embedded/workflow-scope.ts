import { AsyncLocalStorage } from 'node:async_hooks'
import { textOf } from '../error-text.ts'
import type { ScopeNode } from './scope-tree.ts'

/** Whose code it is: a definition's, or a step's. */
export type Where = { readonly runId: string; readonly workflow: string; readonly step?: string }

type Owner = {
  readonly run?: Omit<Where, 'step'>
  readonly step?: string
  onLog(level: 'warn', message: string): void
  /** An exception out of a callback. Without it, that ends the process like any other. */
  onThrown?(error: unknown): void
}

/**
 * Where workflow code runs: what it begins belongs to this scope and is cancelled with it. An attempt of a step has one
 * of its own, so that what goes wrong in it later, and nobody waits for, is known to be its.
 */
export type Scope = ScopeNode & {
  readonly owner: Owner
  readonly parent: Scope | undefined
  /** Nothing that runs here may change the run. */
  readonly readOnly: boolean
}

const scopes = new AsyncLocalStorage<Scope | undefined>()

let onFirst: (() => void) | undefined
let wasUsed = false

/** Calls `act` before the first code of a definition or a step runs here; at once when some already did. */
export function beforeFirstScope(act: () => void): void {
  if (wasUsed) act()
  else onFirst = act
}

export function createScope(
  owner: Owner,
  parent: Scope | undefined,
  kind: 'plain' | 'shield' | 'read_only' = 'plain',
): Scope {
  if (!wasUsed) {
    wasUsed = true
    onFirst?.()
  }
  return { owner, parent, shielded: kind === 'shield', readOnly: kind === 'read_only', cancelled: undefined }
}

/** Runs workflow code so that everything it begins, also later, is known to belong to `scope`. */
export function inScope<T>(scope: Scope, body: () => T): T {
  return scopes.run(scope, body)
}

/** Runs code of the engine that workflow code or a step calls, so that what it begins is nobody's. */
export function outOfScope<T>(body: () => T): T {
  return scopes.run(undefined, body)
}

/** Whose code asks; undefined where it is nobody's but the engine's. */
export function whereNow(): Where | undefined {
  const owner = scopes.getStore()?.owner
  if (owner?.run === undefined) return undefined
  const { runId, workflow } = owner.run
  return { runId, workflow, ...(owner.step === undefined ? {} : { step: owner.step }) }
}

export function currentScope(): Scope | undefined {
  return scopes.getStore()
}

let guards = 0

/**
 * While any engine lives: a promise that workflow code or a step rejects and nobody looks at is a warning in the log
 * of its run; an exception out of a callback of a step (a stream without a listener for its errors) ends that attempt,
 * and one of workflow code blocks its run. None ends the process. What anybody else throws keeps its effect.
 */
export function guardRejections(): () => void {
  if (guards === 0) {
    process.on('unhandledRejection', onUnhandledRejection)
    process.on('uncaughtException', onUncaughtException)
  }
  guards += 1
  let released = false
  return () => {
    if (released) return
    released = true
    guards -= 1
    if (guards > 0) return
    process.off('unhandledRejection', onUnhandledRejection)
    process.off('uncaughtException', onUncaughtException)
  }
}

function onUnhandledRejection(reason: unknown): void {
  const owner = scopes.getStore()?.owner
  if (owner !== undefined) {
    owner.onLog('warn', `Nothing handled this error: ${textOf(reason)}`)
  } else if (process.listenerCount('unhandledRejection') === 1) {
    // Ours is the only listener, and without it Node would have ended the process.
    throw reason
  }
}

function onUncaughtException(error: unknown): void {
  const owner = scopes.getStore()?.owner
  if (owner?.onThrown !== undefined) owner.onThrown(error)
  else if (process.listenerCount('uncaughtException') === 1) throw error
}
