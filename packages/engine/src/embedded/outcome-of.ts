import { failureOf } from '@kyros/workflows/failures'
import type { Outcome } from './workflow-command.ts'

const frameInBundle = /definitions[\\/][0-9a-f]{64}\.mjs:(\d+)/
const maxCodeChars = 120

/**
 * What a run comes to whose code let this error through. By name and not by class: the error may come from any bundle.
 * `lineAt` gives the lines of that bundle.
 */
export function outcomeOf(error: unknown, lineAt?: (line: number) => string | undefined): Outcome {
  if (!(error instanceof Error)) return { kind: 'blocked', detail: `The definition threw ${String(error)}.` }
  const failure = failureOf(error)
  if (failure === undefined) {
    const line = frameInBundle.exec(error.stack ?? '')?.[1]
    const code = line === undefined ? undefined : lineAt?.(Number(line))?.slice(0, maxCodeChars)
    const where = code === undefined ? '' : ` (at: ${code})`
    return { kind: 'blocked', detail: `The definition threw ${error.name}: ${error.message}${where}` }
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
