import type { Attributes } from '@kyros/contract/event'
import type { Json, JsonObject } from '@kyros/contract/json'
import type { StepContract, StepOptions } from './step-options.ts'
import type { WorkflowContext } from './workflow-context.ts'

export {
  Cancelled,
  ChildFailure,
  CompensationFailure,
  isNamed,
  ScopeTimedOut,
  StepFailure,
  WaitpointExpired,
  WorkflowFailure,
} from './failures.ts'
export type {
  RetryPolicy,
  StepContract,
  StepImplementations,
  StepInput,
  StepOptions,
  StepOutput,
  StepPriority,
} from './step-options.ts'
export type {
  CancellationScope,
  ChildOptions,
  Round,
  RunInfo,
  Saga,
  ScopeOptions,
  Waitpoint,
  WaitpointOptions,
  WorkflowContext,
} from './workflow-context.ts'

/** How many runs of a workflow may be under way at once. */
export type WorkflowConcurrency<I> = {
  /** Runs whose inputs give the same key count together; default: all runs of the workflow. Only looks at the input. */
  readonly key?: (input: I) => string
  /** Runs at once, of each key. At least 1. */
  readonly limit: number
  /**
   * What becomes of one more. `queue`: it waits (reason `concurrency`). `reject`: it is not accepted
   * (`run_concurrency_reached`). `cancel_oldest`: the run that is longest under way is cancelled for it.
   * `cancel_newest`: the youngest one is.
   */
  readonly onConflict: 'queue' | 'reject' | 'cancel_oldest' | 'cancel_newest'
}

/** Limits of each run. A person may raise them for one run. */
export type WorkflowBudget = {
  /** Time in which steps of the run are attempted, in milliseconds; waiting costs nothing. */
  readonly timeMs?: number
  readonly tokens?: number
  readonly costUsd?: number
  /** `pause` (default): the run waits with reason `budget_exceeded` until its limit is raised. `fail`: it fails. */
  readonly onExceeded?: 'pause' | 'fail'
}

export type WorkflowDefinition<
  S extends StepContract = StepContract,
  I = Json,
  O = unknown,
  A extends Attributes = Attributes,
> = {
  /** Lower case with `_`; unique among the workflows of an installation. */
  readonly name: string
  /** For people; what runs is identified by the hash of its bundle. */
  readonly version: string
  readonly title?: string
  readonly description?: string
  /** JSON Schema of the input: starts are checked against it, and the console makes a form of it. */
  readonly input?: JsonObject
  /** Options of steps by name, where the call gives none. */
  readonly stepDefaults?: { readonly [K in keyof S]?: StepOptions }
  readonly concurrency?: WorkflowConcurrency<I>
  readonly budget?: WorkflowBudget
  readonly run: (context: WorkflowContext<S, A>, input: I) => Promise<O>
}

/**
 * Declares a workflow: `defineWorkflow<Steps>()({ name, version, run })`, with the types of its steps and, where it sets
 * them, of its attributes. `run` is a plain function of its context and input: no clock, no dice, no I/O, no import
 * but types and other pure code, because it is replayed from its history.
 *
 *     export const workflow = defineWorkflow<typeof steps>()({
 *       name: 'greeting',
 *       version: '1.0.0',
 *       run: async ({ step }, input: { name: string }) => step.Greet(input),
 *     })
 */
export function defineWorkflow<S extends StepContract, A extends Attributes = Attributes>() {
  return <I = Json, O = unknown>(
    definition: WorkflowDefinition<S, I, O, A>,
  ): WorkflowDefinition<S, I, O, A> => definition
}
