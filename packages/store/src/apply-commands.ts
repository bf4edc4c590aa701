import type { Answer, Batch } from './batch.ts'
import type { Command } from './command.ts'
import { createApiKey, revokeApiKey, touchApiKey } from './commands/api-keys.ts'
import { appendEvent } from './commands/append-event.ts'
import { appendLogLines } from './commands/append-log-lines.ts'
import { appendMany, appendRunEvents } from './commands/append-run-events.ts'
import { appendStream } from './commands/append-stream.ts'
import { createProject } from './commands/create-project.ts'
import { createSession } from './commands/create-session.ts'
import { createUser } from './commands/create-user.ts'
import { deleteJob } from './commands/delete-job.ts'
import { acquireEngineLease, releaseEngineLease } from './commands/engine-lease.ts'
import { putInbox, takeInbox } from './commands/inbox.ts'
import { putArtifact } from './commands/put-artifact.ts'
import { retryJob } from './commands/retry-job.ts'
import { revokeSession } from './commands/revoke-session.ts'
import { rotateSession } from './commands/rotate-session.ts'
import { setPassword } from './commands/set-password.ts'
import { storeDefinition } from './commands/store-definition.ts'
import { submitJob } from './commands/submit-job.ts'
import { createView, deleteView } from './commands/views.ts'
import { type Outcome, Rejected, toFailure } from './outcome.ts'
import type { Steps } from './statement.ts'

/** These write nothing themselves: what they decide is collected in the batch and written by `finish`. */
export function isCollected(kind: Command['kind']): boolean {
  return (
    kind === 'submit_job' ||
    kind === 'append_run_events' ||
    kind === 'append_many' ||
    kind === 'append_log_lines' ||
    kind === 'append_event'
  )
}

/**
 * Runs the commands inside one open transaction. A command that fails its precondition fails alone; an error of
 * a statement, or of a command that had already changed something, ends the whole and has to be rolled back.
 */
export function* applyCommands(batch: Batch, commands: readonly Command[]): Steps<Outcome[]> {
  const outcomes: Outcome[] = []
  let answers: { index: number; answer: Answer<unknown> }[] = []
  for (const [index, command] of commands.entries()) {
    // The others read tables, so what was collected before them must be there.
    if (!isCollected(command.kind) && batch.size > 0) {
      settle(outcomes, answers, yield* batch.finish())
      answers = []
    }
    const size = batch.size
    try {
      answers.push({ index, answer: yield* handle(command, batch) })
    } catch (error) {
      if (batch.size !== size) throw error
      outcomes[index] = { failure: toFailure(error) }
    }
  }
  settle(outcomes, answers, yield* batch.finish())
  return outcomes
}

function settle(
  outcomes: Outcome[],
  answers: readonly { index: number; answer: Answer<unknown> }[],
  base: number,
): void {
  for (const { index, answer } of answers) {
    const value = typeof answer === 'function' ? answer(base) : answer
    outcomes[index] = value instanceof Rejected ? { failure: toFailure(value.refusal) } : { value }
  }
}

function handle(command: Command, batch: Batch): Steps<Answer<unknown>> {
  switch (command.kind) {
    case 'submit_job':
      return submitJob(command, batch)
    case 'append_run_events':
      return appendRunEvents(command, batch)
    case 'append_many':
      return appendMany(command, batch)
    case 'append_log_lines':
      return appendLogLines(command, batch)
    case 'append_event':
      return appendEvent(command, batch)
    case 'append_stream':
      return appendStream(command, batch)
    case 'retry_job':
      return retryJob(command, batch)
    case 'delete_job':
      return deleteJob(command, batch)
    case 'put_artifact':
      return putArtifact(command, batch)
    case 'store_definition':
      return storeDefinition(command, batch)
    case 'create_project':
      return createProject(command, batch)
    default:
      return handleRest(command, batch)
  }
}

/** What `handle` does itself: jobs, runs, and what they leave. */
type WorkKind =
  | 'submit_job'
  | 'append_run_events'
  | 'append_many'
  | 'append_log_lines'
  | 'append_event'
  | 'append_stream'
  | 'retry_job'
  | 'delete_job'
  | 'put_artifact'
  | 'store_definition'
  | 'create_project'

/** People, and the machinery of the engine. */
function handleRest(command: Exclude<Command, { kind: WorkKind }>, batch: Batch): Steps<Answer<unknown>> {
  switch (command.kind) {
    case 'create_user':
      return createUser(command, batch)
    case 'set_password':
      return setPassword(command, batch)
    case 'create_session':
      return createSession(command, batch)
    case 'rotate_session':
      return rotateSession(command, batch)
    case 'revoke_session':
      return revokeSession(command, batch)
    case 'create_api_key':
      return createApiKey(command, batch)
    case 'revoke_api_key':
      return revokeApiKey(command, batch)
    case 'touch_api_key':
      return touchApiKey(command)
    case 'create_view':
      return createView(command, batch)
    case 'delete_view':
      return deleteView(command)
    case 'acquire_engine_lease':
      return acquireEngineLease(command, batch)
    case 'release_engine_lease':
      return releaseEngineLease(command)
    case 'put_inbox':
      return putInbox(command, batch)
    case 'take_inbox':
      return takeInbox(command)
  }
}
