import { isProblemCode, type ProblemError, problem } from '@kyros/contract/problem'
import { EngineFenced, RunConflict } from './command.ts'
import type { Failure } from './outcome.ts'
import { Refusal } from './refusal.ts'

/** The error that the caller of a command gets for its failure. */
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

/** What leaves the store: refusals as the contract's problems, anything else as it is. */
export function asStoreError(error: unknown): Error {
  if (error instanceof Refusal) return toProblem(error)
  return error instanceof Error ? error : new Error(String(error))
}

function toProblem({ code, message, retryAfterSeconds, cause }: Refusal): ProblemError {
  return problem(code, { detail: message, cause, ...(retryAfterSeconds && { retryAfterSeconds }) })
}
