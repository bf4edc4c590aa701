import type { Json } from '@kyros/contract/json'
import type { WaitKind } from './workflow-command.ts'
import type { Scope } from './workflow-scope.ts'

/** Workflow code that waits for the result of a command. */
export type Waiting = {
  readonly kind: WaitKind
  readonly name: string
  readonly scope: Scope
  readonly promise: Promise<Json>
  resolve: (value: Json) => void
  reject: (error: Error) => void
}

/** A result that the definition never looks at is not an unhandled rejection. */
export function reject(waiting: Waiting, error: Error): void {
  waiting.promise.catch(() => {})
  waiting.reject(error)
}
