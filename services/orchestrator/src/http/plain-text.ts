import { type ProblemError, problem } from '@kyros/contract/problem'

/**
 * Text as every database can keep it: half surrogates become U+FFFD, and U+0000, which PostgreSQL cannot hold, is
 * refused. @throws request_invalid
 */
export function plainText(path: string, text: string): string {
  if (text.includes('\0')) throw fieldProblem(path, 'must not contain the character U+0000')
  return text.isWellFormed() ? text : text.toWellFormed()
}

/** `request_invalid` about one field, for rules that a schema cannot say. */
export function fieldProblem(path: string, message: string): ProblemError {
  return problem('request_invalid', {
    detail: `Correct the field named in \`errors\` and send the request again: ${path} ${message}.`,
    errors: [{ path, message }],
  })
}
