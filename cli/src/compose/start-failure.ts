import { CommandError } from '../command-line/command-error.ts'

const startErrors = new Set(['StartError', 'DataDirectoryError', 'DatabaseError'])

/** A fault that ends a start, in two lines; anything else stays what it is. */
export function startFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !startErrors.has(error.name)) return error
  const [what, next] = twoLines(error.message)
  return new CommandError(what, next, undefined, error)
}

/** The first sentence says what happened, the rest what to do. */
export function twoLines(message: string): [what: string, next: string] {
  const end = message.search(/\.\s+(?=[A-Z`])/)
  if (end < 0) return [message, '`kyros doctor` checks this machine.']
  return [message.slice(0, end + 1), message.slice(end + 1).trim()]
}
