import { failureOf } from '@kyros/workflows/failures'
import type { Outcome } from './workflow-command.ts'

/** What a run comes to whose code let this error through. By name and not by class: the error may come from any bundle. */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Error)) return { kind: 'blocked', detail: `The definition threw ${String(error)}.` }
  const failure = failureOf(error)
  if (failure === undefined) {
    return { kind: 'blocked', detail: `The definition threw ${error.name}: ${error.message}` }
  }
  switch (error.name) {
    case 'Cancelled':
      return { kind: 'cancelled' }
    case 'StepFailure':
      return { kind: 'failed', reason: 'step_failed', error: failure }
    case 'ChildFailure':
      return { kind: 'failed', reason: 'child_failed', error: failure }
    default:
      return { kind: 'failed', reason: 'workflow_failed', error: failure }
  }
}
