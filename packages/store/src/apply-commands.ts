import type { Answer, Batch } from './batch.ts'
import type { Replayed } from './command.ts'
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
import { removeJobs } from './commands/remove-jobs.ts'
import { retryJob } from './commands/retry-job.ts'
import { revokeSession } from './commands/revoke-session.ts'
import { rotateSession } from './commands/rotate-session.ts'
import { setPassword } from './commands/set-password.ts'
import { storeDefinition } from './commands/store-definition.ts'
import { submitJob } from './commands/submit-job.ts'
import { createView, deleteView } from './commands/views.ts'
import { type Failure, type Outcome, Rejected, toFailure } from './outcome.ts'
import type { Steps } from './statement.ts'
import type { ColdCommand, Decoded } from './wire.ts'

/** These write nothing themselves: what they decide is collected in the batch and written by `finish`. */
export function isCollected(decoded: Decoded): boolean {
  return decoded.kind !== 'cold' || decoded.command.kind === 'append_event'
}

/** These read or change the tables of jobs and runs, which have to be up to date before. */
function needsProjections({ kind }: ColdCommand): boolean {
  return kind === 'retry_job' || kind === 'delete_job' || kind === 'remove_jobs'
}

/**
 * Runs the commands inside one open transaction. A command that fails its precondition fails alone; an error of
 * a statement, or of a command that had already changed something, ends the whole and has to be rolled back.
 */
export function* applyCommands(batch: Batch, commands: readonly Decoded[]): Steps<Outcome[]> {
  const outcomes: Outcome[] = []
  let unsettled: Unsettled[] = []
  for (const [index, decoded] of commands.entries()) {
    // The others read tables, so what was collected before them must be there.
    if (decoded.kind === 'cold' && !isCollected(decoded)) {
      if (batch.size > 0) {
        settle(outcomes, unsettled, yield* batch.finish())
        unsettled = []
      }
      if (needsProjections(decoded.command)) yield* project(batch)
    }
    const size = batch.size
    try {
      if (decoded.kind === 'cold') unsettled.push({ index, answer: yield* handle(decoded.command, batch) })
      else unsettled.push({ index, hot: handleHot(decoded, batch) })
    } catch (error) {
      if (batch.size !== size) throw error
      outcomes[index] = { failure: toFailure(error) }
    }
  }
  settle(outcomes, unsettled, yield* batch.finish())
  if (batch.mustProject || batch.dialect === 'postgres') yield* project(batch)
  return outcomes
}

/** On PostgreSQL with every batch, because other processes write too; on SQLite the writer decides when else. */
function* project({ ledger }: Batch): Steps<void> {
  if (!ledger.isDirty) return
  yield* ledger.project(ledger.dialect === 'sqlite' ? ledger.head : undefined)
  ledger.projected()
}

type HotAnswer = number | (() => Replayed) | { line: number } | { many: (number | Failure)[] }
type Unsettled = { index: number; answer: Answer<unknown> } | { index: number; hot: HotAnswer }

function settle(outcomes: Outcome[], unsettled: readonly Unsettled[], shift: number): void {
  for (const one of unsettled) {
    outcomes[one.index] = 'hot' in one ? settleHot(one.hot, shift) : settleCold(one.answer, shift)
  }
}

function settleHot(hot: HotAnswer, shift: number): Outcome {
  if (typeof hot === 'number') return raised(hot, shift)
  if (typeof hot === 'function') return { value: hot() }
  if ('line' in hot) return hot.line
  return { many: hot.many.map((seq) => (typeof seq === 'number' ? raised(seq, shift) : seq)) }
}

/** 0 means that there was no event. */
function raised(seq: number, shift: number): number {
  return seq === 0 ? 0 : seq + shift
}

function settleCold(answer: Answer<unknown>, shift: number): Outcome {
  const value = typeof answer === 'function' ? answer(shift) : answer
  return value instanceof Rejected ? { failure: toFailure(value.refusal) } : { value }
}

function handleHot(decoded: Exclude<Decoded, { kind: 'cold' }>, batch: Batch): HotAnswer {
  switch (decoded.kind) {
    case 'append':
      return appendRunEvents(decoded.append, batch)
    case 'many':
      return { many: appendMany(decoded.appends, batch) }
    case 'submit':
      return submitJob(decoded.submission, batch)
    case 'lines':
      return { line: appendLogLines(decoded.lines, batch) }
  }
}

/** A command that answers at once, where the others yield statements. */
// biome-ignore lint/correctness/useYield: it is one of the handlers, and has nothing to ask for
function* now<R>(work: () => R): Steps<R> {
  return work()
}

function handle(command: ColdCommand, batch: Batch): Steps<Answer<unknown>> {
  switch (command.kind) {
    case 'append_event':
      return now(() => appendEvent(command, batch))
    case 'retry_job':
      return retryJob(command, batch)
    case 'delete_job':
      return deleteJob(command, batch)
    case 'remove_jobs':
      return removeJobs(command, batch)
    case 'append_stream':
      return appendStream(command, batch)
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
  | 'append_event'
  | 'append_stream'
  | 'retry_job'
  | 'delete_job'
  | 'remove_jobs'
  | 'put_artifact'
  | 'store_definition'
  | 'create_project'

/** People, and the machinery of the engine. */
function handleRest(command: Exclude<ColdCommand, { kind: WorkKind }>, batch: Batch): Steps<Answer<unknown>> {
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
