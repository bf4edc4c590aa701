/** The states of a run, and what may be done in each: the one place both the API and the console ask. */
export const runStatuses = [
  'pending',
  'running',
  'waiting',
  'completed',
  'failed',
  'cancelled',
  'timed_out',
] as const
export type RunStatus = (typeof runStatuses)[number]

export const waitReasons = [
  'timer',
  'signal',
  'approval',
  'waitpoint',
  'child',
  'budget_exceeded',
  'paused',
  'blocked',
  'concurrency',
  'worker_missing',
  'agent_missing',
  'model_missing',
] as const
export type WaitReason = (typeof waitReasons)[number]

export const failReasons = [
  'step_failed',
  'child_failed',
  'workflow_failed',
  'stalled',
  'rejected',
  'budget_exceeded',
] as const
export type FailReason = (typeof failReasons)[number]

const terminal: readonly RunStatus[] = ['completed', 'failed', 'cancelled', 'timed_out']

export function isTerminal(status: RunStatus): boolean {
  return terminal.includes(status)
}

export function canCancel(run: { status: RunStatus; cancel_requested?: boolean }): boolean {
  return !isTerminal(run.status) && run.cancel_requested !== true
}

export function canRetry(run: { status: RunStatus }): boolean {
  return isTerminal(run.status)
}

/** What has no definition has nothing that could stand still. */
export function canPause(run: {
  status: RunStatus
  definition: string
  paused?: boolean
  cancel_requested?: boolean
}): boolean {
  return canCancel(run) && run.paused !== true && run.definition !== ''
}

export function canResume(run: { status: RunStatus; paused?: boolean }): boolean {
  return !isTerminal(run.status) && run.paused === true
}

export function canDelete(job: { status: RunStatus }): boolean {
  return isTerminal(job.status) || job.status === 'waiting' || job.status === 'pending'
}

/** Legal targets of PUT /api/v1/jobs/{id}/status: a person can only stop work; the engine does all else. */
export function canSetStatus(from: RunStatus, to: RunStatus): boolean {
  return to === 'cancelled' && !isTerminal(from)
}
