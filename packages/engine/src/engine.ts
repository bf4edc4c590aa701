import type { Role } from '@kyros/contract/auth'
import type { ParentLink } from '@kyros/contract/event'
import type { Why, WorkflowType } from '@kyros/contract/job'
import type { Json, JsonObject } from '@kyros/contract/json'
import type { Idempotency } from '@kyros/store/command'

export type Principal = { id: string; role: Role }

export type Submission = {
  jobId: string
  runId: string
  title: string
  task: string | null
  agentId: string | null
  /** Null: the job's agent decides; without an agent the run waits with `agent_missing`. */
  workflow: string | null
  input: Json
  priority: 'low' | 'medium' | 'high' | 'critical'
  projectId: string
  metadata: JsonObject
  maxRetries: number
  timeoutSeconds: number
  /** Not before this time; the run waits with reason `timer`. */
  runAtMs?: number
  principal: Principal
  timeMs: number
  /** The run that it is a child of. */
  parent?: ParentLink
  /** The W3C trace context of the request that asks for it; its steps see it. */
  traceparent?: string | undefined
  /** What to keep for the caller's Idempotency-Key. */
  idempotency?: Idempotency
}

export type Submitted = { seq: number } | { replayed: { status: number; response: Json } }

/** What a run was moved to; `from` equals `definition` when it was there already and nothing was written. */
export type Upgraded = { definition: string; version: string; from: string }

/** What a cluster has of a run, as a replay needs it. */
export type Executions = {
  /** The version of the worker that moved it; empty where the cluster has nothing of it. */
  build: string
  /** The bundle of that build, or why there is none; left out where the caller has it. */
  code?: { kind: 'code'; code: string } | { kind: 'missing'; why: string }
  /**
   * Of each part that this build moved, the newest last, Temporal's history in JSON, in which a payload that is JSON is an
   * object with the one field `kyros_json`. What the definition gave to steps and children is left out.
   */
  histories: JsonObject[]
  /** False where there are, or were, earlier parts. */
  isWhole: boolean
}

/** Limits of one run. Active time is the time in which steps of the run are attempted, each moment counted once. */
export type BudgetLimits = { timeMs?: number; tokens?: number; costUsd?: number }

/**
 * One piece of a stream. Offsets of a stream are dense from 1. A step that is tried again writes its pieces again: a
 * higher `attempt` of the same step, or the same after a crash, begins from the front.
 */
export type StreamChunk = { offset: number; timeMs: number; step: string; attempt: number; data: Json }

/** What the holder of a token may know: not which run asks, nor for whom. */
export type WaitpointView = {
  name: string
  title: string | null
  isOpen: boolean
  expiresAtMs: number | null
}

/** A definition that the store holds, with the runs that have not ended on it. */
export type DefinitionSummary = {
  hash: string
  workflow: string
  version: string
  createdMs: number
  /** True for what a run started now would execute. */
  isNewest: boolean
  liveRuns: number
}

/**
 * What is done to runs from outside. Every write is durable when its promise resolves, also in a process that does not
 * run the engine: there it is on its way to the one that does, which applies it once and in order.
 * All of them throw `run_not_found`; those that change a run throw `run_ended` for one that has ended.
 */
export interface RunOperations {
  /**
   * No new attempt starts; attempts under way may end and are recorded; timers that fall due wait. Holds over restarts.
   * A run that is paused already stays so.
   */
  pause(runId: string, principal: Principal): Promise<void>

  /** The run goes on, with what fell due meanwhile. @throws run_not_paused */
  resume(runId: string, principal: Principal): Promise<void>

  /**
   * A new run that has the results of every step before the first use of step key `fromStep`, and does the rest itself.
   * It keeps the definition, or takes the newest when that replays what is copied. `jobId`: makes a job of its own;
   * without it the run joins the job of the original, which must have ended (`run_not_ended`).
   * @throws run_step_not_found, run_diverged, run_not_ended
   */
  fork(
    runId: string,
    from: {
      fromStep: string
      jobId?: string
      runId: string
      principal: Principal
      timeMs: number
      traceparent?: string | undefined
      idempotency?: Idempotency
    },
  ): Promise<Submitted>

  /**
   * Replays the run on another definition of its workflow (default: the newest) without touching it, and moves it there
   * if nothing diverges: that is how a correction frees a run that is blocked.
   * @throws definition_not_found, run_diverged (its detail shows both sides; the run stays as it was)
   */
  upgrade(runId: string, to: { definition?: string; principal: Principal }): Promise<Upgraded>

  /** Sets limits of the run; what is not named keeps its limit. A run parked for its budget goes on if it now has room. */
  setBudget(runId: string, limits: BudgetLimits, principal: Principal): Promise<void>

  /** Adds to what the run has used. It parks, or fails, as its workflow says once a limit is reached. */
  reportUsage(runId: string, used: { tokens?: number; costUsd?: number }): Promise<void>

  /**
   * Asks the definition, which must not change anything to answer. Works on any process and also after the run ended:
   * where the run is not in memory, its log is replayed. @throws query_unknown, query_failed, run_not_started
   */
  query(runId: string, name: string, payload: Json): Promise<Json>

  /**
   * Changes the run and waits for what it says. Rejected by its validator, nothing is recorded; accepted, it is durable,
   * and the same `updateId` again waits for the same result. Waits at most 30 seconds (`update_pending`).
   * @throws update_unknown, update_rejected, update_failed, update_pending
   */
  update(
    runId: string,
    name: string,
    payload: Json,
    options: { updateId: string; principal: Principal },
  ): Promise<Json>

  /**
   * Answers a waitpoint. Whoever has the token may do it, once; the same answer again changes nothing.
   * @throws waitpoint_token_invalid, waitpoint_closed
   */
  completeWaitpoint(
    token: string,
    payload: Json,
    principal?: Principal,
  ): Promise<{ runId: string; waitpoint: string }>

  /**
   * The same for somebody who may act on the run and needs no token: `command` is that of its step.
   * @throws waitpoint_token_invalid when the run has no such waitpoint, waitpoint_closed
   */
  answerWaitpoint(
    runId: string,
    command: number,
    payload: Json,
    principal: Principal,
  ): Promise<{ runId: string; waitpoint: string }>

  /**
   * The run that a token is of; undefined for text that is no token made here. It costs one hash.
   */
  runOfWaitpoint(token: string): string | undefined

  /**
   * What a token is for, without answering it: whoever was given it may look first.
   * @throws waitpoint_token_invalid
   */
  describeWaitpoint(token: string): Promise<WaitpointView>

  /**
   * What steps of the run write to the stream `name`, after `afterOffset` (0: from its beginning), without gap or
   * duplicate; ends when the run has ended and all was read, or when `signal` aborts.
   */
  stream(
    runId: string,
    name: string,
    options: { afterOffset: number },
    signal: AbortSignal,
  ): AsyncIterable<readonly StreamChunk[]>

  /** What a cluster has of the run; nothing of one that was never on a cluster. @throws temporal_unavailable */
  executions(runId: string, knownBuild?: string): Promise<Executions>

  /** Every stored definition of the workflows here, and of those that runs still need; newest first. */
  definitions(): Promise<DefinitionSummary[]>
}

/**
 * How a run moves. Two implementations, one shared suite: `embedded` keeps its journal in the store,
 * `temporal` lets a cluster replay and retry. Everything above this port is the same on both.
 */
export interface Engine extends RunOperations {
  readonly kind: 'embedded' | 'temporal'

  /** The workflows that can be started here, with the hash of what would run. */
  workflows(): readonly WorkflowType[]

  /**
   * Commits the job, its run and the first event in one write; durable when this resolves, and the run will be
   * run also after a crash. @throws workflow_unknown, workflow_input_invalid
   */
  submit(submission: Submission): Promise<Submitted>

  /** A new run of the same job with the same input on the newest definition. @throws run_not_found, run_not_ended */
  retry(
    jobId: string,
    next: {
      runId: string
      principal: Principal
      timeMs: number
      traceparent?: string | undefined
      idempotency?: Idempotency
    },
  ): Promise<Submitted>

  /** Durable when this resolves; the run then cleans up and ends. @throws run_not_found, run_ended */
  cancel(runId: string, reason: string, principal: Principal): Promise<void>

  /**
   * Durable when this resolves. The same `signalId` again is the same signal, which is taken once, and acknowledged also
   * after the run has ended; a run remembers its last 10,000. @throws run_not_found, run_ended
   */
  signal(runId: string, name: string, payload: Json, principal: Principal, signalId?: string): Promise<void>

  /** @throws run_not_found */
  why(runId: string): Promise<Why>

  health(): { status: 'healthy' | 'degraded' | 'unhealthy'; details: JsonObject }

  /** Takes up unfinished runs and works until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>

  /** Stops taking new work; lets running attempts end for at most `graceMs`, then cuts them off (not a retry). */
  drain(graceMs: number): Promise<void>
}
