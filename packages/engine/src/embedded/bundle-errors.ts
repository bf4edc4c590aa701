import * as failures from '@kyros/workflows/failures'
import type { LoadedDefinition } from '../definitions/definitions.ts'

/** The bundle's own copies of the errors, so that `instanceof` is true in it; ours where an old bundle has none. */
export function errorsOf({
  ScopeTimedOut,
  CompensationFailure,
  ChildFailure,
  WaitpointExpired,
}: LoadedDefinition) {
  return {
    ScopeTimedOut: ScopeTimedOut ?? failures.ScopeTimedOut,
    CompensationFailure: CompensationFailure ?? failures.CompensationFailure,
    ChildFailure: ChildFailure ?? failures.ChildFailure,
    WaitpointExpired: WaitpointExpired ?? failures.WaitpointExpired,
  }
}
