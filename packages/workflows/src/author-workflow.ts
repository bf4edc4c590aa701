// What a definition imports, as `kyros/workflow`.
export {
  Cancelled,
  defineWorkflow,
  isNamed,
  type RetryPolicy,
  type StepContract,
  StepFailure,
  type StepImplementations,
  type StepInput,
  type StepOptions,
  type StepOutput,
  type WorkflowContext,
  type WorkflowDefinition,
  WorkflowFailure,
} from './define.ts'
