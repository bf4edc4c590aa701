import * as failures from '@kyros/workflows/failures'
import type { LoadedDefinition } from '../definitions/definitions.ts'

/** The errors that a bundle has copies of; an old one has not all of them. */
export type BundleErrors = Pick<
  LoadedDefinition,
  'ScopeTimedOut' | 'CompensationFailure' | 'ChildFailure' | 'WaitpointExpired'
>

/** The bundle's own copies of the errors, so that `instanceof` is true in it; ours where an old bundle has none. */
export function errorsOf({
  ScopeTimedOut,
  CompensationFailure,
  ChildFailure,
  WaitpointExpired,
}: BundleErrors) {
  return {
    ScopeTimedOut: ScopeTimedOut ?? failures.ScopeTimedOut,
    CompensationFailure: CompensationFailure ?? failures.CompensationFailure,
    ChildFailure: ChildFailure ?? failures.ChildFailure,
    WaitpointExpired: WaitpointExpired ?? failures.WaitpointExpired,
  }
}
