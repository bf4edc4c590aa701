import type { Json } from '@kyros/contract/json'
import type { BundleErrors } from './bundle-errors.ts'
import type { ScopeNode } from './scope-tree.ts'
import type { TimerName } from './workflow-command.ts'

/** Workflow code that waits for a condition. */
export type Condition<S extends ScopeNode = ScopeNode> = {
  readonly predicate: () => boolean
  readonly scope: S
  /** Command of its timer; 0 without one. */
  readonly timer: number
  readonly resolve: (met: boolean) => void
  readonly reject: (error: Error) => void
}

/** A timer that was asked for; command 0: its scope is cancelled, or the run is over. */
export type StartedTimer = { command: number; fired: Promise<unknown> }

/**
 * What the structure of workflow code (conditions, scopes, sagas, loops) needs of the engine that executes it. Both
 * engines give it the same code, so that one wakes branches in the order in which the other does.
 */
export type StructureHost<S extends ScopeNode = ScopeNode> = {
  /** The time of the fact that the definition heard of last. */
  readonly nowMs: number
  /** Number of the last command asked for. */
  readonly issued: number
  readonly run: { readonly input: Json }
  readonly loaded: BundleErrors
  readonly size: { readonly continueSuggested: boolean }
  readonly messages: { readonly updatesUnderWay: number }
  /** The scope of the calling workflow code. @throws where code must only look */
  enter(): S
  createScope(parent: S, kind?: 'plain' | 'shield'): S
  inScope<T>(scope: S, body: () => T): T
  cancelScope(scope: S, message: string): void
  /** What a call in a cancelled scope gives; undefined in any other. */
  cancelledIn(scope: S): Promise<never> | undefined
  /** Called where the code is answered without waiting; what it gives never settles. */
  answeredAtOnce(): Promise<never> | undefined
  /** Begins a timer in the scope of the caller. */
  startTimer(name: TimerName, durationMs: number): StartedTimer
  /** Cancels a timer that is not needed any more; 0 is none. */
  dropTimer(command: number): void
  addCondition(condition: Condition<S>): void
  /** True when it was still waiting. */
  dropCondition(condition: Condition<S>): boolean
  takeLoopState(initial: Json): Json
  /** Ends this part of the run; nothing after it is executed. */
  continueAs(next: { input: Json; loop: { state: Json }; upgrade: boolean }): Promise<never>
}
