import { AsyncLocalStorage } from '@temporalio/workflow'
import type { ScopeNode } from '../embedded/scope-tree.ts'

/**
 * The scopes of a definition on a cluster. Those of the SDK pass a cancellation on one level and one microtask after the
 * other, so that branches would go on in another order than on the embedded engine.
 */
export type AdapterScope = ScopeNode & { readonly parent: AdapterScope | undefined }

const scopes = new AsyncLocalStorage<AdapterScope | undefined>()

export function createScope(parent: AdapterScope | undefined, kind: 'plain' | 'shield' = 'plain') {
  const scope: AdapterScope = { parent, shielded: kind === 'shield', cancelled: undefined }
  return scope
}

export function inScope<T>(scope: AdapterScope | undefined, body: () => T): T {
  return scopes.run(scope, body)
}

/** Undefined where it is that of the whole run. */
export function currentScope(): AdapterScope | undefined {
  return scopes.getStore()
}
