import type { GitProgram } from './git-command.ts'
import type { AnalysisLimits } from './limits.ts'

/** Everything the steps need from outside, with defaults filled in. */
export type AnalysisOptions = {
  readonly allowedRoots: readonly string[]
  readonly limits: AnalysisLimits
  /** A file of advisories for the lockfile check; nothing is looked up online. */
  readonly advisoryFile: string | undefined
  readonly program: GitProgram
}
