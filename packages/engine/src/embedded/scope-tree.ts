/** Where workflow code runs: what it begins belongs to it and is cancelled with it. The same on both engines. */
export type ScopeNode = {
  readonly parent: ScopeNode | undefined
  /** A cancellation from outside stops here. */
  readonly shielded: boolean
  /** Set once it was cancelled: what everything in it throws. */
  cancelled: Error | undefined
}

/** What a call in this scope throws because the scope, or one around it, is cancelled. */
export function cancellationOf(scope: ScopeNode): Error | undefined {
  for (let at: ScopeNode | undefined = scope; at !== undefined; at = at.parent) {
    if (at.cancelled !== undefined) return at.cancelled
    if (at.shielded) return undefined
  }
  return undefined
}

/** Whether a cancellation of `outer` reaches what was begun in `scope`. */
export function reaches(outer: ScopeNode, scope: ScopeNode): boolean {
  for (let at: ScopeNode | undefined = scope; at !== undefined; at = at.parent) {
    if (at === outer) return true
    if (at.shielded) return false
  }
  return false
}
