import type { Role } from '@kyros/contract/auth'
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
  /** What to keep for the caller's Idempotency-Key. */
  idempotency?: Idempotency
}

export type Submitted = { seq: number } | { replayed: { status: number; response: Json } }

/**
 * How a run moves. Two implementations, one shared suite: `embedded` keeps its journal in the store,
 * `temporal` lets a cluster replay and retry. Everything above this port is the same on both.
 */
export interface Engine {
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
    next: { runId: string; principal: Principal; timeMs: number; idempotency?: Idempotency },
  ): Promise<Submitted>

  /** Durable when this resolves; the run then cleans up and ends. @throws run_not_found, run_ended */
  cancel(runId: string, reason: string, principal: Principal): Promise<void>

  /** @throws run_not_found, run_ended */
  signal(runId: string, name: string, payload: Json, principal: Principal): Promise<void>

  /** @throws run_not_found */
  why(runId: string): Promise<Why>

  health(): { status: 'healthy' | 'degraded' | 'unhealthy'; details: JsonObject }

  /** Takes up unfinished runs and works until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>

  /** Stops taking new work; lets running attempts end for at most `graceMs`, then cuts them off (not a retry). */
  drain(graceMs: number): Promise<void>
}
