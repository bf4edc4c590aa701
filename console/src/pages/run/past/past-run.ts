import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Run, Step } from '@kyros/contract/run'
import { blankRun, foldRun } from '@kyros/contract/run-state'
import type { LoggedEvent } from '../../../api/queries.ts'

/** The run after its first `at` events. What an event keeps as a reference is shown as the run of today shows it. */
export function pastRun(run: Run, events: readonly LoggedEvent[], at: number): Run {
  const until = events.filter((event): event is LoggedEvent & RunEvent => {
    const known: { type: string; run_id?: string; run_seq?: number } = event
    return isRunEvent(known) && known.run_seq <= at
  })
  const { steps_omitted: _1, events_url: _2, ...known } = run
  const [first] = until
  const created = first?.type === 'run.created' ? first.data : run
  const { definition, version } = created
  const folded = foldRun({ ...blankRun(known), definition, version }, until)
  const today = new Map(run.steps.map((step) => [step.key, step]))
  return {
    ...folded,
    result: folded.run_seq === run.run_seq ? run.result : folded.result,
    steps: folded.steps.map((step) => withValues(step, today.get(step.key))),
  }
}

function withValues(step: Step, today: Step | undefined): Step {
  if (today === undefined || today.command !== step.command) return step
  return {
    ...step,
    input: isReference(step.input) ? today.input : step.input,
    output: isReference(step.output) ? today.output : step.output,
  }
}

function isReference(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$blob' in value
}

/** One event in a few words: `step.completed · Greet · try 2`. */
export function eventWords({ type, data }: LoggedEvent): string {
  return [type, ...aboutEvent(data)].join(' · ')
}

/** What tells one event from the next of its type. */
export function aboutEvent(data: LoggedEvent['data']): string[] {
  const { step, attempt, timer, signal, reason, name, waitpoint, child, update } = data
  const words = [
    step ?? timer ?? signal ?? waitpoint ?? child ?? update ?? name,
    attempt === undefined ? undefined : `try ${attempt}`,
    reason,
  ]
  return words.filter((word) => typeof word === 'string')
}
