import type { Role } from '@kyros/contract/auth'
import type { RunEventType, RunFact } from '@kyros/contract/event'
import type { Json, JsonObject } from '@kyros/contract/json'
import type { RunEngine } from '@kyros/contract/run'
import type { ViewList } from '@kyros/contract/saved-view'

/** A fact about to be numbered. Times are milliseconds since 1970, from the caller's clock. */
export type NewEvent = {
  type: string
  subject: string
  timeMs: number
  actor?: string
  jobId?: string
  data: JsonObject
}

/** A fact of one run; `subject`, job and numbers are filled in by the writer. */
export type NewRunEvent = {
  [T in RunEventType]: { type: T; timeMs: number; actor?: string; data: RunFact<T> }
}[RunEventType]

export type NewJob = {
  id: string
  title: string
  task: string | null
  agentId: string | null
  workflow: string | null
  priority: 'low' | 'medium' | 'high' | 'critical'
  projectId: string
  createdBy: string
  createdMs: number
  input: Json
  metadata: JsonObject
}

export type NewRun = {
  id: string
  jobId: string
  workflow: string
  version: string
  definition: string
  attempt: number
  maxRetries: number
  timeoutSeconds: number
  input: Json
  createdBy: string
  /** Role of who asked for the run: steps look at it before they touch local paths. */
  createdByRole: Role
  createdMs: number
  /** What moves it, for as long as it lives; left out: `embedded`. */
  engine?: RunEngine
}

/** Kept for 24 hours in the commit that it names; the same key and fingerprint give the first answer again. */
export type Idempotency = {
  principal: string
  route: string
  key: string
  /** Hash of the canonical request body. */
  fingerprint: string
  status: number
  /** The answer's body, known before the write because ids and times come from the caller. */
  response: Json
  createdMs: number
}

export type Replayed = { replayed: { status: number; response: Json } }

export type NewLogLine = {
  timeMs: number
  level: 'info' | 'warn' | 'error'
  step: string | null
  attempt: number | null
  message: string
}

/** What one run has to say, and when it may. */
export type RunAppend = {
  runId: string
  events: readonly NewRunEvent[]
  /** The run's last `run_seq`; else RunConflict. */
  expectedRunSeq?: number
  /** Refused with `run_ended` once the run has ended. */
  unlessEnded?: boolean
  /** Still the engine's lease; else EngineFenced. */
  epoch?: number
}

/** What became of one append of many: the number of its first event (0 when it had none), or why it failed. */
export type AppendOutcome = { firstSeq: number } | { error: Error }

export type NewChunks = {
  runId: string
  stream: string
  chunks: readonly Json[]
  step: string
  attempt: number
  timeMs: number
}

/** A run about to exist. */
type NewSubmission = {
  run: NewRun
  events: NewRunEvent[]
  idempotency?: Idempotency
  /** Puts an `accept` for the run's engine into the inbox in the same commit: for whoever does not move the run itself. */
  announce?: boolean
}

/**
 * Every write there is. A command carries its own preconditions; one that fails them fails alone, with a
 * ProblemError (or RunConflict), and the others of its batch are not touched.
 */
export type Command =
  /** Precondition where the run has begun in it: `epoch` is still the engine's lease (EngineFenced). */
  | ({ kind: 'submit_job'; job: NewJob; epoch?: number } & NewSubmission)
  /** A new run of an existing job. Precondition: its latest run has ended (`run_not_ended`). */
  | ({ kind: 'retry_job' } & NewSubmission)
  /**
   * Preconditions: `expectedRunSeq` is the run's last `run_seq` (RunConflict), `unlessEnded` (`run_ended`),
   * `epoch` is still the engine's lease (EngineFenced).
   */
  | ({ kind: 'append_run_events' } & RunAppend)
  /**
   * Appends to many runs in one commit. Each has its own preconditions and fails alone; `epoch` is that of all of them.
   * Answered in their order.
   */
  | { kind: 'append_many'; appends: readonly RunAppend[]; epoch?: number }
  /** The writer puts `id` and `seq` of the event into the kept answer: nobody else knows them before the commit. */
  | { kind: 'append_event'; event: NewEvent; idempotency?: Idempotency & { response: JsonObject } }
  /** Precondition: the job's latest run is not running (`job_running`). Removes runs, logs and artifacts; events stay. */
  | { kind: 'delete_job'; jobId: string; actor: string; timeMs: number }
  /**
   * Takes jobs out for good, with their runs and all that the journal says of them. Left alone: those that have not ended
   * by `endedBeforeMs`, and the newest run. Besides, at most `maxDeletedRuns` runs of jobs that were deleted by then.
   */
  | {
      kind: 'remove_jobs'
      jobIds: readonly string[]
      endedBeforeMs: number
      maxDeletedRuns: number
      timeMs: number
    }
  | { kind: 'append_log_lines'; runId: string; lines: NewLogLine[] }
  /**
   * Chunks of one attempt, numbered from the stream's last on. Preconditions: the run's streams stay within `maxBytes`
   * of JSON and `maxStreams` (`stream_full`); `epoch` is still the engine's lease (EngineFenced). Sent `againAfter` an
   * answer that was lost, it is appended only where it was not, and answers the same.
   */
  | ({
      kind: 'append_stream'
      maxBytes: number
      maxStreams: number
      epoch?: number
      /** Set where the same command may have been written before: the offset that its sender knew of then. */
      againAfter?: number
    } & NewChunks)
  /** Precondition: `epoch`, where given, is still the engine's lease (EngineFenced). */
  | {
      kind: 'put_artifact'
      epoch?: number
      runId: string
      name: string
      mediaType: string
      sha256: string
      bytes: number
      createdMs: number
    }
  | { kind: 'store_definition'; definition: StoredDefinition }
  | {
      kind: 'create_project'
      id: string
      name: string
      description: string
      projectType: string
      timeMs: number
      actor: string
    }
  /** Precondition: no user with this e-mail (`user_exists`); `onlyIfNone`: no user at all (first admin). */
  | { kind: 'create_user'; user: NewUser; actor: string; onlyIfNone?: boolean }
  | { kind: 'set_password'; userId: string; passwordHash: string; actor: string; timeMs: number }
  | { kind: 'create_session'; session: NewSession; token: NewRefreshToken; timeMs: number }
  /**
   * Trades a refresh token. A token used before: within `graceMs` another successor is given, later the whole
   * session is revoked (`refresh_token_invalid`) and `session.reused` is logged.
   */
  | { kind: 'rotate_session'; tokenHash: string; next: NewRefreshToken; timeMs: number; graceMs: number }
  | { kind: 'revoke_session'; sessionId: string; userId?: string; actor: string; timeMs: number }
  | { kind: 'create_api_key'; apiKey: NewApiKey; actor: string }
  | { kind: 'revoke_api_key'; id: string; userId?: string; actor: string; timeMs: number }
  | { kind: 'touch_api_key'; id: string; timeMs: number }
  /**
   * A view of the same user, list and name is replaced and keeps its id. Precondition: the user has fewer than
   * `maxViews` else (`view_limit_reached`).
   */
  | { kind: 'create_view'; view: NewView; maxViews: number }
  | { kind: 'delete_view'; id: string; userId: string }
  /**
   * Takes or renews the right to run the engine; a new holder gets a higher epoch. On PostgreSQL the database's clock
   * counts and not `timeMs`.
   */
  | { kind: 'acquire_engine_lease'; holder: string; timeMs: number; ttlMs: number }
  | { kind: 'release_engine_lease'; holder: string }
  /** A message to the engine of its run, which the writer looks up: by its commit the run may have gone to another one. */
  | { kind: 'put_inbox'; message: InboxMessage; timeMs: number }
  /** Those that were handed to another engine than `engine` (default: the embedded one) stay. */
  | { kind: 'take_inbox'; ids: readonly number[]; engine?: RunEngine }

/** Whether who reads the inbox has something new to find there. */
export function fillsInbox(command: Command): boolean {
  switch (command.kind) {
    case 'put_inbox':
      return true
    case 'append_run_events':
      return handsOver(command)
    case 'append_many':
      return command.appends.some(handsOver)
    default:
      return 'announce' in command && command.announce === true
  }
}

/** Whether the run goes to another engine with these events. */
function handsOver({ events }: Pick<RunAppend, 'events'>): boolean {
  return events.some(({ type, data }) => type === 'run.continued' && data.engine !== undefined)
}

/**
 * `since`, where the run comes from another engine: the number of the first of its messages that came with it. They are
 * older than the order to take it up, and what is read of the inbox may be behind them.
 */
export type InboxMessage =
  | { type: 'accept'; runId: string; since?: number }
  | { type: 'cancel'; runId: string; reason: string; actor: string }
  | { type: 'signal'; runId: string; signal: string; payload: Json; actor: string; signalId?: string }
  /** What else is done to a run; the engine knows what the fields mean. */
  | { type: 'operate'; runId: string; operation: JsonObject; actor: string }

export type StoredDefinition = {
  hash: string
  name: string
  version: string
  /** The bundle: one ESM file. */
  source: string
  createdMs: number
}

export type NewUser = {
  id: string
  email: string
  passwordHash: string
  role: Role
  createdMs: number
}

export type NewSession = {
  id: string
  userId: string
  client: string
  address: string
  createdMs: number
  expiresMs: number
}

/** Only the hash of a refresh token is kept. */
export type NewRefreshToken = { id: string; hash: string; expiresMs: number }

export type NewApiKey = {
  id: string
  userId: string
  name: string
  prefix: string
  hash: string
  role: Role
  createdMs: number
  expiresMs: number | null
}

export type NewView = {
  id: string
  userId: string
  list: ViewList
  name: string
  query: string
  createdMs: number
}

type Results = {
  submit_job: Submitted | Replayed
  retry_job: Submitted | Replayed
  append_run_events: Appended
  append_many: AppendOutcome[]
  append_event: { seq: number } | Replayed
  delete_job: { deleted: true }
  remove_jobs: { jobs: string[]; runs: number }
  append_log_lines: { lastLine: number }
  append_stream: { lastOffset: number }
  put_artifact: Record<string, never>
  store_definition: Record<string, never>
  create_project: Record<string, never>
  create_user: { created: boolean }
  set_password: Record<string, never>
  create_session: Record<string, never>
  rotate_session: { sessionId: string; userId: string }
  revoke_session: { revoked: boolean }
  create_api_key: Record<string, never>
  revoke_api_key: { revoked: boolean }
  touch_api_key: Record<string, never>
  create_view: { id: string; createdMs: number }
  delete_view: { deleted: boolean }
  acquire_engine_lease: { held: true; epoch: number } | { held: false; holder: string; leftMs: number }
  release_engine_lease: Record<string, never>
  put_inbox: { id: number }
  take_inbox: Record<string, never>
}

/** `seqs[i]` is the number of `events[i]`. The state of a new run follows from what was submitted. */
export type Submitted = { seqs: number[] }

/** `seqs[i]` is the number of `events[i]`. */
export type Appended = { seqs: number[] }

export type CommandKind = Command['kind']
export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>
export type ResultOf<K extends CommandKind> = Results[K]

/** Somebody else appended to the run first: read what came and decide again. */
export class RunConflict extends Error {
  override readonly name = 'RunConflict'
  readonly runId: string
  readonly actualRunSeq: number

  constructor(runId: string, actualRunSeq: number) {
    super(`Run ${runId} is at ${actualRunSeq}`)
    this.runId = runId
    this.actualRunSeq = actualRunSeq
  }
}

/** Another process holds the engine's lease now; this one must stop running runs. */
export class EngineFenced extends Error {
  override readonly name = 'EngineFenced'
}
