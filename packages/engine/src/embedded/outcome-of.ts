import { failureOf } from '@kyros/workflows/failures'
import { isError, messageOf, stackOf, textOf } from '../error-text.ts'
import type { Outcome } from './workflow-command.ts'

const frameInBundle = /definitions[\\/][0-9a-f]{64}\.mjs:(\d+)/
const maxCodeChars = 120

/**
 * What a run comes to whose code let this error through. By name and not by class: the error may come from any bundle.
 * `lineAt` gives the lines of that bundle.
 */
export function outcomeOf(error: unknown, lineAt?: (line: number) => string | undefined): Outcome {
  if (!isError(error)) return { kind: 'blocked', detail: `The definition threw ${textOf(error)}.` }
  const failure = failureIn(error)
  if (failure === undefined) {
    const line = frameInBundle.exec(stackOf(error))?.[1]
    const code = line === undefined ? undefined : lineAt?.(Number(line))?.slice(0, maxCodeChars)
    const where = code === undefined ? '' : ` (at: ${code})`
    return { kind: 'blocked', detail: `The definition threw ${textOf(error)}${where}` }
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

/** `failureOf` for anything that may be thrown, with texts that fit into an event; undefined for a bug. */
export function failureIn(error: unknown): { code: string; message: string } | undefined {
  try {
    const failure = failureOf(error)
    return failure === undefined ? undefined : { code: failure.code.slice(0, 200), message: messageOf(error) }
  } catch {
    return undefined
  }
}
