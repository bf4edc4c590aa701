import type {
  Cancelled,
  ChildFailure,
  CompensationFailure,
  ScopeTimedOut,
  StepFailure,
  WaitpointExpired,
  WorkflowDefinition,
} from '@kyros/workflows/define'
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow'
import { cancelledType } from './start-facts.ts'

/** The exports of a definition's bundle; an old one has not all of the errors. */
export type DefinitionBundle = {
  definition: WorkflowDefinition
  Cancelled: typeof Cancelled
  StepFailure: typeof StepFailure
  ChildFailure?: typeof ChildFailure
  WaitpointExpired?: typeof WaitpointExpired
  ScopeTimedOut?: typeof ScopeTimedOut
  CompensationFailure?: typeof CompensationFailure
}

/** Temporal's failures as the errors that a definition knows. */
export async function guard<T>(bundle: DefinitionBundle, wait: () => Promise<T>, name = ''): Promise<T> {
  try {
    return await wait()
  } catch (error) {
    if (error instanceof ChildWorkflowFailure && isCancellation(error)) throw cancelledChild(bundle, error)
    if (isCancellation(error)) throw new bundle.Cancelled('The run was cancelled.')
    if (error instanceof ActivityFailure) throw stepFailure(bundle, error, name)
    if (error instanceof ChildWorkflowFailure) throw childFailure(bundle, error)
    throw error
  }
}

function stepFailure(bundle: DefinitionBundle, error: ActivityFailure, step: string): Error {
  const { cause } = error
  const message = cause?.message ?? error.message
  return new bundle.StepFailure(step, codeOf(cause, 'step_error'), message, attemptsOf(cause))
}

/** By somebody else than its parent, which does not hear of what it cancelled itself. */
function cancelledChild(bundle: DefinitionBundle, error: ChildWorkflowFailure): Error {
  const Failure = known(bundle.ChildFailure)
  return new Failure(
    error.workflowType,
    error.execution.workflowId ?? '',
    'child_cancelled',
    'The child was cancelled.',
  )
}

function childFailure(bundle: DefinitionBundle, error: ChildWorkflowFailure): Error {
  const { cause, workflowType, execution } = error
  const message = cause?.message ?? error.message
  const Failure = known(bundle.ChildFailure)
  const code = codeOf(cause, 'child_failed')
  if (code === cancelledType) {
    const why = `The child was cancelled: ${message}`
    return new Failure(workflowType, execution.workflowId ?? '', 'child_cancelled', why)
  }
  if (cause instanceof TimeoutFailure) {
    const late = 'The child took longer than its limit.'
    return new Failure(workflowType, execution.workflowId ?? '', 'child_timed_out', late)
  }
  return new Failure(workflowType, execution.workflowId ?? '', code, message)
}

function codeOf(cause: unknown, otherwise: string): string {
  return (cause instanceof ApplicationFailure ? cause.type : undefined) ?? otherwise
}

function attemptsOf(cause: unknown): number {
  const detail: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined
  if (typeof detail !== 'object' || detail === null || !('attempts' in detail)) return 1
  return typeof detail.attempts === 'number' ? detail.attempts : 1
}

/** @throws for a bundle that was made before there was this error, and so cannot use what throws it */
export function known<T>(error: T | undefined): T {
  if (error === undefined) throw new Error('The bundle is older than what it asks for.')
  return error
}
