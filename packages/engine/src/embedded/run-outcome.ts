import type { NewRunEvent } from '@kyros/store/command'
import type { Outcome } from './workflow-host.ts'

/** The last event of a run. */
export type EndEvent = Extract<
  NewRunEvent,
  { type: 'run.completed' | 'run.failed' | 'run.cancelled' | 'run.timed_out' }
>

/** Whether the definition has to see the event: the others are what it asked for itself, or what people see. */
export function isSeen(event: NewRunEvent): boolean {
  switch (event.type) {
    case 'run.created':
    case 'run.waiting':
    case 'run.resumed':
    case 'step.scheduled':
    case 'step.started':
    case 'timer.started':
    case 'run.pause_requested':
    case 'run.resume_requested':
    case 'run.budget_set':
    case 'budget.used':
    case 'run.upgraded':
    case 'run.forked':
    case 'value.recorded':
    case 'attributes.set':
    case 'waitpoint.created':
    case 'child.started':
    case 'update.completed':
    case 'update.failed':
      return false
    case 'step.failed':
      return event.data.retry_at === undefined
    default:
      return true
  }
}

/** The end that the outcome of a definition is, or why it cannot be recorded as one. */
export function endOf(
  outcome: Outcome,
  cancelReason = 'cancelled',
): Pick<EndEvent, 'type' | 'data'> | { blocked: string } {
  switch (outcome.kind) {
    case 'blocked':
      return { blocked: outcome.detail }
    case 'completed':
      return { type: 'run.completed', data: { result: outcome.stored ?? outcome.result } }
    case 'failed':
      return { type: 'run.failed', data: { reason: outcome.reason, error: outcome.error } }
    case 'cancelled':
      return { type: 'run.cancelled', data: { reason: cancelReason } }
  }
}
