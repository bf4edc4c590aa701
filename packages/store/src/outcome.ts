import { EngineFenced, RunConflict } from './command.ts'
import { Refusal } from './refusal.ts'

/**
 * What became of one command, in a form that crosses a thread. A number is that of the first event, or of the last log
 * line; `many` has one for each append.
 */
export type Outcome =
  | number
  | { value: unknown }
  | { failure: Failure }
  | { many: readonly (number | Failure)[] }

export type Failure =
  | { type: 'problem'; code: string; detail: string; retryAfterSeconds?: number }
  | { type: 'conflict'; runId: string; actualRunSeq: number }
  | { type: 'fenced'; message: string }
  | { type: 'bug'; message: string; stack?: string }

/** A refusal whose writes are kept: revoking a stolen session is one. */
export class Rejected {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    this.refusal = refusal
  }
}

export function toFailure(error: unknown): Failure {
  if (error instanceof Refusal) {
    const { code, message, retryAfterSeconds } = error
    return { type: 'problem', code, detail: message, ...(retryAfterSeconds && { retryAfterSeconds }) }
  }
  if (error instanceof RunConflict) {
    return { type: 'conflict', runId: error.runId, actualRunSeq: error.actualRunSeq }
  }
  if (error instanceof EngineFenced) return { type: 'fenced', message: error.message }
  if (error instanceof Error) return { type: 'bug', message: error.message, stack: error.stack }
  return { type: 'bug', message: String(error) }
}
