import type { Answer, Batch } from '../batch.ts'
import type { CommandOf, NewJob, Replayed, Submitted } from '../command.ts'
import type { Steps } from '../statement.ts'
import { replayAnswer } from './replay-answer.ts'

export function* submitJob(
  command: CommandOf<'submit_job'>,
  batch: Batch,
): Steps<Answer<Submitted | Replayed>> {
  const { job, run, events, idempotency, announce } = command
  const replayed = yield* replayAnswer(batch, idempotency)
  if (replayed) return replayed
  batch.emit({
    type: 'job.created',
    subject: `jobs/${job.id}`,
    jobId: job.id,
    actor: job.createdBy,
    timeMs: job.createdMs,
    data: created(job, run.id),
  })
  const entry = batch.addRun(run, JSON.stringify(job.input))
  batch.addJob(job, entry)
  if (idempotency) batch.keepAnswer(idempotency)
  if (announce) batch.announce(run)
  const appended = batch.append(entry, events)
  return (base) => ({ seqs: appended(base).seqs })
}

function created(job: NewJob, runId: string) {
  return {
    title: job.title,
    workflow: job.workflow,
    agent_id: job.agentId,
    priority: job.priority,
    project_id: job.projectId,
    run_id: runId,
  }
}
