import { isProblemCode, ProblemError, problem } from '@kyros/contract/problem'
import { EngineFenced, RunConflict } from './command.ts'

/** What became of one command, in a form that crosses a thread as JSON. */
export type Outcome = { value: unknown } | { failure: Failure }

export type Failure =
  | { type: 'problem'; code: string; detail: string; retryAfterSeconds?: number }
  | { type: 'conflict'; runId: string; actualRunSeq: number }
  | { type: 'fenced'; message: string }
  | { type: 'bug'; message: string; stack?: string }

/** A refusal whose writes are kept: revoking a stolen session is one. */
export class Rejected {
  readonly problem: ProblemError

  constructor(reason: ProblemError) {
    this.problem = reason
  }
}

export function toFailure(error: unknown): Failure {
  if (error instanceof ProblemError) {
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

export function fromFailure(failure: Failure): Error {
  switch (failure.type) {
    case 'problem': {
      const { code, detail, retryAfterSeconds } = failure
      if (!isProblemCode(code)) return new Error(`${code}: ${detail}`)
      return problem(code, { detail, ...(retryAfterSeconds && { retryAfterSeconds }) })
    }
    case 'conflict':
      return new RunConflict(failure.runId, failure.actualRunSeq)
    case 'fenced':
      return new EngineFenced(failure.message)
    case 'bug': {
      const error = new Error(failure.message)
      if (failure.stack) error.stack = failure.stack
      return error
    }
  }
}

export function unavailable(detail: string, cause?: unknown): ProblemError {
  return problem('store_unavailable', { detail, retryAfterSeconds: 1, cause })
}

export function storageFull(cause?: unknown): ProblemError {
  const detail =
    'Free some space on the disk that holds the data, then try again. Nothing of this was stored.'
  return problem('storage_full', { detail, cause })
}
