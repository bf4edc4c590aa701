import type { CodeAnalysisSteps } from '@kyros/workflows/code-analysis/steps'
import type { AnalysisOptions } from './analysis-options.ts'
import { Checkouts } from './checkouts.ts'
import { type AnalysisEnvironment, defaultEnvironment } from './environment.ts'
import { fetchCode } from './fetch-code.ts'
import { generateReport } from './generate-report.ts'
import { type AnalysisLimits, defaultLimits } from './limits.ts'
import { runAnalysis } from './run-analysis.ts'

export type CodeAnalysisStepsOptions = {
  /** Folders that people who are not administrators may analyse. */
  readonly allowedRoots: readonly string[]
  readonly limits?: Partial<AnalysisLimits>
  /** Absolute path of advisories in OSV JSON for the lockfile check. */
  readonly advisoryFile?: string
  /** Default: `git`, found in `environment.path`. */
  readonly gitPath?: string
  readonly environment?: Partial<AnalysisEnvironment>
}

/** The steps of `code_analysis`. Any process may do any of them: what a workspace lacks is fetched again. */
export function createCodeAnalysisSteps(options: CodeAnalysisStepsOptions): CodeAnalysisSteps {
  const complete: AnalysisOptions = {
    allowedRoots: options.allowedRoots,
    limits: { ...defaultLimits, ...options.limits },
    advisoryFile: options.advisoryFile,
    program: {
      gitPath: options.gitPath ?? 'git',
      environment: { ...defaultEnvironment, ...options.environment },
    },
  }
  const checkouts = new Checkouts(complete)
  return {
    FetchCode: (input, step) => fetchCode(complete, input, step),
    RunStaticAnalysis: (input, step) => runAnalysis({ options: complete, checkouts }, 'static', input, step),
    RunSecurityAnalysis: (input, step) =>
      runAnalysis({ options: complete, checkouts }, 'security', input, step),
    RunPerformanceAnalysis: (input, step) =>
      runAnalysis({ options: complete, checkouts }, 'performance', input, step),
    GenerateReport: (input, step) => generateReport(input, step),
  } satisfies CodeAnalysisSteps
}
