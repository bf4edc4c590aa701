import type { ApiKey, Role, Session, User } from '@kyros/contract/auth'
import type { Event } from '@kyros/contract/event'
import type { Job, JobQuery, RunQuery } from '@kyros/contract/job'
import type { Json } from '@kyros/contract/json'
import type { EventQuery, Stats } from '@kyros/contract/platform'
import type { Project } from '@kyros/contract/project'
import type { Artifact, LogLine, RunEngine, RunSummary } from '@kyros/contract/run'
import type { RunStatus } from '@kyros/contract/run-status'
import type { SavedView, ViewList } from '@kyros/contract/saved-view'
import type {
  CommandKind,
  CommandOf,
  InboxMessage,
  NewRunEvent,
  ResultOf,
  StoredDefinition,
} from './command.ts'

export type Page<T> = { items: T[]; nextCursor: string | null; total?: number }

/** A run as its projection keeps it: no steps (fold its events for those). */
export type RunRecord = RunSummary & { input: Json; result: Json; created_by_role: Role }

/** What taking up a run needs to know of it. */
export type OpenRun = Pick<
  RunRecord,
  | ('id' | 'type' | 'version' | 'definition' | 'attempt' | 'max_retries' | 'timeout_seconds' | 'input')
  | ('priority' | 'created_by' | 'created_by_role' | 'paused' | 'stirred')
  | ('status' | 'reason' | 'waiting_until' | 'cancel_requested')
> & { startedMs: number | null }

export type EngineCount = { engine: RunEngine; status: RunStatus; runs: number }

/** A stored event as it was when it was new, with its number in the run. */
export type PastEvent = NewRunEvent & { run_seq: number }

export type FollowOptions = {
  /** Only events with a larger number. */
  after: number
  jobId?: string
  runId?: string
  type?: string
  subject?: string
}

export type UserRecord = User & { password_hash: string }

/** A reader gets `reset` when it asks for numbers that retention has removed, and goes on from `from`. */
export type FollowBatch = { events: Event[] } | { reset: { from: number } }

/**
 * Where everything is kept. Reads see what is committed; writes are commands and are on disk when their promise
 * resolves. Both dialects pass the same suite (`store.suite.ts`).
 * Every method may throw `store_unavailable`; writes may throw `storage_full`.
 */
export interface Store {
  readonly dialect: 'sqlite' | 'postgres'

  write<K extends CommandKind>(command: CommandOf<K> & { kind: K }): Promise<ResultOf<K>>

  readonly jobs: {
    get(id: string): Promise<Job | undefined>
    list(query: JobQuery): Promise<Page<Job>>
  }
  readonly runs: {
    get(id: string): Promise<RunRecord | undefined>
    /** Those of them that exist, in no order; at most some hundred at a time. */
    many(ids: readonly string[]): Promise<RunRecord[]>
    list(query: RunQuery): Promise<Page<RunSummary>>
    /**
     * Runs that have a definition and have not ended, oldest first, in pages by id: what the engine takes up. Those of
     * the embedded engine, unless another is named.
     */
    unfinished(afterId: string | undefined, limit: number, engine?: RunEngine): Promise<OpenRun[]>
    /** Only the ids of those. */
    unfinishedIds(afterId: string | undefined, limit: number, engine?: RunEngine): Promise<string[]>
    /** How many of them there are on each definition, by its hash; of all engines, unless one is named. */
    countByDefinition(engine?: RunEngine): Promise<Map<string, number>>
    /** How many of them each engine has, by status; what is none is left out. */
    countByEngine(): Promise<EngineCount[]>
    /**
     * The events of many runs in one go, for recovery: each from its last `run.continued` on, or else from its first.
     * A run that is unknown is not in the answer.
     */
    histories(runIds: readonly string[]): Promise<Map<string, PastEvent[]>>
  }
  readonly events: {
    /** The number of the last event, 0 in an empty log. */
    head(): Promise<number>
    list(query: EventQuery & { job_id?: string; run_id?: string }): Promise<Page<Event>>
    /** The events of a run in order, after `afterRunSeq`; all of them, or at most `limit`. */
    ofRun(runId: string, afterRunSeq?: number, limit?: number): Promise<Event[]>
    /**
     * Follows the log without gap or duplicate, also what other processes write. Ends when `signal` aborts.
     * A reader that does not keep up reads from the log again: nothing is buffered without bound.
     */
    follow(options: FollowOptions, signal: AbortSignal): AsyncIterable<FollowBatch>
  }
  readonly logs: {
    list(runId: string, options: { after: number; limit: number; step?: string }): Promise<LogLine[]>
    /** Wakes (with no value) whenever lines of the run were added; a hint, at least once a second. */
    changes(runId: string, signal: AbortSignal): AsyncIterable<void>
  }
  /** What steps say while they run, beside the history. */
  readonly streams: {
    /** Chunks after `after`, at least one if there is one; at most `limit` writes of them at once. */
    read(
      runId: string,
      stream: string,
      options: { after: number; limit: number },
    ): Promise<{ offset: number; timeMs: number; step: string; attempt: number; data: Json }[]>
    /** By name. */
    list(runId: string): Promise<{ name: string; chunks: number; bytes: number }[]>
    /** Wakes (with no value) whenever chunks of the run were added; a hint, at least once a second. */
    changes(runId: string, signal: AbortSignal): AsyncIterable<void>
  }
  readonly artifacts: {
    list(runId: string): Promise<Artifact[]>
    get(runId: string, name: string): Promise<Artifact | undefined>
  }
  /** Content-addressed bytes: files beside SQLite, a table on PostgreSQL. Durable when `put` resolves. */
  readonly blobs: {
    put(data: Uint8Array): Promise<{ sha256: string; bytes: number }>
    get(sha256: string): Promise<Uint8Array | undefined>
  }
  readonly definitions: {
    get(hash: string): Promise<StoredDefinition | undefined>
    list(): Promise<Omit<StoredDefinition, 'source'>[]>
  }
  readonly projects: {
    byName(name: string): Promise<Project | undefined>
    get(id: string): Promise<Project | undefined>
    list(query: { limit?: number; cursor?: string }): Promise<Page<Project>>
  }
  readonly users: {
    count(): Promise<number>
    byEmail(email: string): Promise<UserRecord | undefined>
    get(id: string): Promise<UserRecord | undefined>
    list(): Promise<User[]>
  }
  readonly sessions: {
    /** Sessions that are neither revoked nor expired at `nowMs`. */
    ofUser(userId: string, nowMs: number): Promise<Omit<Session, 'current'>[]>
    isLive(id: string, nowMs: number): Promise<boolean>
    /** Grows with every revocation of a session, key or user: caches of verified tokens compare it. */
    revocationEpoch(): Promise<number>
  }
  readonly apiKeys: {
    byHash(hash: string): Promise<(ApiKey & { user: User }) | undefined>
    ofUser(userId: string): Promise<ApiKey[]>
  }
  readonly views: {
    /** By name; all lists when none is named. */
    ofUser(userId: string, list?: ViewList): Promise<SavedView[]>
  }
  readonly inbox: {
    /**
     * Messages after `afterId`, in order; the holder of the engine's lease reads them. Those for runs of the embedded
     * engine, unless another is named: each engine sees only its own.
     */
    list(afterId: number, limit: number, engine?: RunEngine): Promise<{ id: number; message: InboxMessage }[]>
    changes(signal: AbortSignal): AsyncIterable<void>
  }
  /**
   * What workers say to whoever reads the histories of runs on a cluster, in any process on this database. A hint may be
   * lost, and may come before what it speaks of can be read.
   */
  readonly hints: {
    /** These runs have news that are not to wait. */
    send(runIds: readonly string[]): Promise<void>
    /** Calls `wake` at every hint of the run until the returned function is called. */
    listen(runId: string, wake: () => void): () => void
  }
  /** Keeps what is stored within bounds, a bite at a time; whoever calls decides when and how often. */
  readonly retention: {
    /**
     * Writes the oldest jobs that ended before `nowMs - olderThanMs` into an archive, and takes them out once that is on
     * disk: their runs, logs, artifacts and events. Streams that resume from before that get a `reset`.
     */
    run(options: RetentionOptions): Promise<Retained>
    /**
     * Removes blobs that nothing refers to any more and that were last put longer ago than `graceMs`, which must be
     * longer than the time between a blob and the commit that names it. Keeps all that was put since the oldest
     * unfinished run on a cluster was created. Reads the whole log.
     */
    sweepBlobs(options: { graceMs: number }): Promise<{ removed: number; bytes: number }>
  }
  /** Counts for the console; `nowMs` ends the 24 hours. */
  stats(nowMs: number): Promise<Stats>

  /** Resolves when the database answers within `timeoutMs`, else rejects with `store_unavailable`. */
  ping(timeoutMs: number): Promise<void>
  /** Lets queued writes finish, then closes. */
  close(): Promise<void>
}

export type RetentionOptions = {
  olderThanMs: number
  nowMs: number
  /** Where archives are written; undefined: what is removed is gone. */
  archiveDir: string | undefined
  /** Most jobs at once. */
  limit: number
}

export type Retained = {
  jobs: number
  runs: number
  /** The file with what was removed; undefined where nothing was, or none was asked for. */
  archive: string | undefined
  /** Whether there may be more to remove. */
  hasMore: boolean
}

export type OpenStore = {
  /** `<dir>/kyros.db` and `<dir>/blobs`, or `:memory:`. */
  dataDir: string
  /** postgres:// or postgresql://; unset: SQLite in `dataDir`. */
  databaseUrl?: string
  maxConnections?: number
  log?: (level: 'info' | 'warn' | 'error', message: string) => void
}
