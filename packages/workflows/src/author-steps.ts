// What a steps file imports, as `kyros/steps`.
export type {
  StepArtifacts,
  StepContext,
  StepImplementation,
  StepPrincipal,
  StoredArtifact,
} from './step-context.ts'
export { StepError, type StepErrorOptions } from './step-error.ts'
