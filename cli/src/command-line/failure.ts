import type { FieldError } from '@kyros/contract/problem'
import { CommandError } from './command-error.ts'
import { type ExitCode, exitCode } from './exit-code.ts'

export type Failure = {
  lines: string[]
  /** Stable name of the problem, for `--json`. */
  code: string
  exitCode: ExitCode
}

/** Errors of the layers below whose message was written for the person at the terminal. */
const spokenErrors = new Set([
  'StartError',
  'DataDirectoryError',
  'DatabaseError',
  'BackupError',
  'LocalCredentialRefused',
])

type ProblemLike = {
  name: string
  code: string
  status: number
  message: string
  title?: string
  errors?: readonly FieldError[]
}

/** What to tell the user about an error: never a stack, always what to do next. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommandError) {
    return { lines: [error.message, error.next], code: 'command_failed', exitCode: error.exitCode }
  }
  if (isConfigError(error)) {
    const lines = error.faults.flatMap((fault) => [fault.what, `  ${fault.next}`])
    return { lines, code: 'config_invalid', exitCode: exitCode.failed }
  }
  if (isProblem(error)) return problemFailure(error)
  if (error instanceof Error && spokenErrors.has(error.name)) {
    const code = 'code' in error ? String(error.code) : 'command_failed'
    return { lines: twoLines(error.message), code, exitCode: exitCode.failed }
  }
  const fileFault = fileFaultOf(error)
  if (fileFault !== undefined) {
    return { lines: fileFault, code: 'command_failed', exitCode: exitCode.failed }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    lines: [
      `Something went wrong: ${message.split('\n')[0]}`,
      'Run it again with LOG_LEVEL=debug to see where, or `kyros doctor` to check this machine.',
    ],
    code: 'internal_error',
    exitCode: exitCode.failed,
  }
}

/** What the disk refused, in the words of the person whose disk it is. */
function fileFaultOf(error: unknown): [what: string, next: string] | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return ['There is no space left on the disk.', 'Free some space and try again.']
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      if (path === undefined) return undefined
      return [
        `${path} may not be written or read.`,
        'Check its owner and permissions, or choose another place.',
      ]
    default:
      return undefined
  }
}

/** The first sentence says what happened, the rest what to do. */
export function twoLines(message: string): [what: string, next: string] {
  const end = message.search(/\.\s+(?=[A-Z`])/)
  if (end < 0) return [message, '`kyros doctor` checks this machine.']
  return [message.slice(0, end + 1), message.slice(end + 1).trim()]
}

// Their message names every field already.
const toldInFull = new Set(['workflow_unknown', 'workflow_input_invalid'])

function problemFailure(error: ProblemLike): Failure {
  const named = toldInFull.has(error.code) ? [] : (error.errors ?? [])
  const fields = named.slice(0, 5).map((field) => `${field.path || '/'}: ${field.message}`)
  const what = [error.title ?? error.code, ...fields].join('; ')
  return { lines: [what, error.message], code: error.code, exitCode: exitCodeOf(error) }
}

/** What was typed is wrong, though only the server could tell. */
const usageProblems = new Set([
  'workflow_unknown',
  'workflow_input_invalid',
  'request_invalid',
  'request_malformed',
  'moment_unknown',
])

function exitCodeOf({ code, status }: ProblemLike): ExitCode {
  if (usageProblems.has(code)) return exitCode.wrongUsage
  switch (status) {
    case 0:
      return exitCode.unreachable
    case 401:
    case 403:
      return exitCode.notAllowed
    case 404:
      return exitCode.notFound
    default:
      return exitCode.failed
  }
}

/** Names instead of `instanceof`: the classes' modules are loaded only by commands that use them. */
function isProblem(error: unknown): error is ProblemLike & Error {
  return error instanceof Error && (error.name === 'ApiError' || error.name === 'ProblemError')
}

function isConfigError(error: unknown): error is Error & { faults: { what: string; next: string }[] } {
  return error instanceof Error && error.name === 'ConfigError' && 'faults' in error
}
