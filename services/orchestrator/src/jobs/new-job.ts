import type { Job } from '@kyros/contract/job'
import type { Submission } from '@kyros/engine/engine'

/**
 * A job as it is in the moment of its submission: nothing of its run has happened yet. In the order of the names,
 * because its entity tag is made from its fields in that order, on the hot path.
 */
export function newJob(submission: Submission): Job {
  const { title, task, agentId, workflow, input, metadata, priority, projectId, principal } = submission
  return {
    agent_id: agentId,
    attempt: 1,
    completed_at: null,
    created_at: new Date(submission.timeMs).toISOString(),
    created_by: principal.id,
    error: null,
    id: submission.jobId,
    input,
    metadata,
    name: title,
    priority,
    project_id: projectId,
    reason: null,
    reason_detail: null,
    result: null,
    run_id: submission.runId,
    started_at: null,
    status: 'pending',
    steps_completed: 0,
    steps_total: 0,
    task,
    title,
    updated_at: null,
    workflow,
  }
}

/** What a job says of a run that has just been created. */
export function newRunOfJob(runId: string, attempt: number) {
  return {
    status: 'pending',
    reason: null,
    reason_detail: null,
    run_id: runId,
    attempt,
    updated_at: null,
    started_at: null,
    completed_at: null,
    steps_total: 0,
    steps_completed: 0,
    result: null,
    error: null,
  } as const
}
