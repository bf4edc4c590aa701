import type { CodeAnalysisSteps } from '@kyros/workflows/code-analysis/steps'
import { type CodeAnalysisStepsOptions, createCodeAnalysisSteps } from './code-analysis/steps.ts'

/** Step implementations by workflow, as the engine takes them. */
export type Steps = { readonly code_analysis: CodeAnalysisSteps }

/** Every step this service can do. */
export function createSteps(options: CodeAnalysisStepsOptions): Steps {
  return { code_analysis: createCodeAnalysisSteps(options) }
}
