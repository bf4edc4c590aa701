import { isRunEvent } from '@kyros/contract/event'
import { applyToState, emptyRunState, type RunState } from '@kyros/contract/run-state'
import type { ObservedRun, Report } from './model.ts'

/** What the projection says must be what the log comes to. */
export function checkFold({ events, record }: ObservedRun, report: Report): void {
  if (record === undefined) return
  let state: RunState = emptyRunState
  for (const event of events) if (isRunEvent(event)) state = applyToState(state, event)
  for (const field of ['status', 'run_seq', 'steps_completed'] as const) {
    if (record[field] === state[field]) continue
    report('wrong', 'projection', `${field} is ${record[field]}; the log comes to ${state[field]}.`)
  }
}
