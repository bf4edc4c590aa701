import { type ExitCode, exitCode } from './exit-code.ts'

/** Ends a command with two lines: what happened, what to do next. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly next: string
  readonly exitCode: ExitCode

  constructor(what: string, next: string, code: ExitCode = exitCode.failed, cause?: unknown) {
    super(what, { cause })
    this.next = next
    this.exitCode = code
  }
}

export function wrongUsage(what: string, next: string): CommandError {
  return new CommandError(what, next, exitCode.wrongUsage)
}
