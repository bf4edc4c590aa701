import { type ProblemCode, ProblemError } from '@kyros/contract/problem'

export function isProblem(error: unknown, code: ProblemCode): boolean {
  return error instanceof ProblemError && error.code === code
}
