import type { Job } from '@kyros/contract/job'
import type { Submission } from '@kyros/engine/engine'

/** A job as it is in the moment of its submission: nothing of its run has happened yet. */
export function newJob(submission: Submission): Job {
  const { title, task, agentId, workflow, input, metadata, priority, projectId, principal } = submission
  return {
    id: submission.jobId,
    title,
    name: title,
    task,
    agent_id: agentId,
    workflow,
    priority,
    project_id: projectId,
    created_by: principal.id,
    created_at: new Date(submission.timeMs).toISOString(),
    input,
    metadata,
    ...newRunOfJob(submission.runId, 1),
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
