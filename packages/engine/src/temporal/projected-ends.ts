import type { NewRunEvent } from '@kyros/store/command'
import type { Shown } from '../embedded/history.ts'
import type { Ending, Fact, HistoryFact } from './history-facts.ts'
import type { ChildRow, PendingRows } from './projected-waits.ts'
import { cancelledType } from './start-facts.ts'

type Said<T extends NewRunEvent['type']> = Pick<Extract<NewRunEvent, { type: T }>, 'type' | 'data'>
type OpenEnd =
  | Said<'step.cancelled'>
  | Said<'timer.cancelled'>
  | Said<'waitpoint.cancelled'>
  | Said<'child.cancelled'>

/** Timers that the definition asked for; the others are the adapter's. */
export const shownTimers: ReadonlySet<string> = new Set(['sleep', 'condition', 'scope'])

/** What a run says of what was under way when it ended. */
export function endsOfOpen({ steps, timers, waitpoints, children }: PendingRows): OpenEnd[] {
  const ends: OpenEnd[] = []
  const run_ended = true
  for (const { step, key, command, attempt } of steps.values())
    ends.push({ type: 'step.cancelled', data: { step, key, command, attempt, run_ended } })
  for (const { name: timer, command } of timers.values())
    if (shownTimers.has(timer)) ends.push({ type: 'timer.cancelled', data: { timer, command, run_ended } })
  for (const [command, { name: waitpoint }] of waitpoints)
    ends.push({ type: 'waitpoint.cancelled', data: { waitpoint, command, run_ended } })
  for (const { workflow: child, command, runId: run_id } of children.values())
    ends.push({ type: 'child.cancelled', data: { child, command, run_id, run_ended } })
  return ends
}

/** How a child ended, as its parent says it. */
export function endOfChild(
  { workflow: child, command, runId: run_id }: ChildRow,
  ending: Ending,
): Said<'child.completed'> | Said<'child.failed'> | undefined {
  if (ending.kind === 'completed')
    return { type: 'child.completed', data: { child, command, run_id, result: ending.result } }
  if (ending.kind !== 'failed') return undefined
  const { code, message } = ending.error
  const cancelled = { code: 'child_cancelled', message: `The child was cancelled: ${message}` }
  const error = code === cancelledType ? cancelled : { code, message }
  return { type: 'child.failed', data: { child, command, run_id, error } }
}

export function isUpdate({ kind }: Fact): boolean {
  return kind === 'update_accepted' || kind === 'update_ended'
}

/**
 * Whether a task was ended only to go on with the next, as the core does while a local activity is under way: the cluster
 * writes the beginning of that one with the end of this, and nothing in between.
 */
export function isExtended([scheduled, started]: readonly HistoryFact[]): boolean {
  return (
    scheduled?.fact.kind === 'other' && started?.fact.kind === 'task_started' && started.fact.goesOn === true
  )
}

/** When the step is tried again, by what the same task asked for. */
export function retryIn(commands: readonly HistoryFact[], command: number): number | undefined {
  for (const { fact, timeMs } of commands) {
    if (fact.kind === 'timer_started' && fact.name === 'retry' && fact.command === command)
      return fact.fireAtMs
    if (fact.kind === 'step_scheduled' && fact.meta.command === command) return timeMs
    if (fact.kind === 'noted' && fact.note.kind === 'retry' && fact.note.command === command) return timeMs
  }
  return undefined
}

export function sameWait(a: Shown | undefined, b: Shown | undefined): boolean {
  return a?.reason === b?.reason && a?.detail === b?.detail && a?.until === b?.until
}
