import type { EventQuery } from '@kyros/contract/platform'
import { LogTail } from './log-tail.ts'
import type { Notices } from './notices.ts'
import { createArtifactReads } from './reads/artifacts.ts'
import { current, type Database, guarded } from './reads/database.ts'
import { createDefinitionReads } from './reads/definitions.ts'
import { EventReads } from './reads/events.ts'
import { createInboxReads } from './reads/inbox.ts'
import { createJobReads } from './reads/jobs.ts'
import { createLogReads } from './reads/logs.ts'
import { createApiKeyReads, createSessionReads, createUserReads } from './reads/people.ts'
import { createProjectReads } from './reads/projects.ts'
import { createRunReads } from './reads/runs.ts'
import { readStats } from './reads/stats.ts'
import { createStreamReads } from './reads/streams.ts'
import { createViewReads } from './reads/views.ts'
import { Refusal } from './refusal.ts'
import { createRetention, type SweptBlobs } from './retention.ts'
import type { Store } from './store.ts'
import { type Apply, type Committed, WriteQueue } from './write-queue.ts'

export type Parts = {
  database: Database
  notices: Notices
  blobs: SweptBlobs
  /** Commits a batch; `ready` says how to be told that no batch will ever be committed again. */
  apply: Apply
  /** How many batches `apply` may be given before the first is answered. */
  maxUnderWay: number
  ping(timeoutMs: number): Promise<void>
  /** Tells every process on the database of these topics; none has a space in it. Default: there is only this one. */
  tell?(topics: readonly string[]): Promise<void>
  /** Closes what was opened, after the last write. */
  close(): Promise<void>
}

/** Puts the port together: the same reads and the same queue of writes on both databases. */
export function createStore(parts: Parts): { store: Store; breakDown(error: Error): void; revoked(): void } {
  const { database, notices } = parts
  const closed = new AbortController()
  const events = new EventReads(database)
  const sessions = createSessionReads(database)
  const { apply, maxUnderWay, tell = async (topics) => notices.notifyEach(topics) } = parts
  const onCommit = (committed: readonly Committed[]) => {
    if (committed.some(({ kind }) => revokes.has(kind))) sessions.invalidate()
    announce(notices, committed)
  }
  const queue = new WriteQueue({ apply, maxUnderWay, onCommit })
  const close = async () => {
    closed.abort()
    await queue.close()
    await parts.close()
  }
  let closing: Promise<void> | undefined

  const port: Omit<Store, 'retention'> = {
    dialect: database.dialect,
    // The queue has the port's own signature; TypeScript does not unify two generic parameters of an indexed union.
    write: queue.write.bind(queue) as Store['write'],
    jobs: createJobReads(database),
    runs: createRunReads(database),
    events: createEventReads(database, events, notices, closed.signal),
    logs: createLogReads(database, notices),
    streams: createStreamReads(database, notices),
    artifacts: createArtifactReads(database),
    blobs: guarded(database, { put: parts.blobs.put, get: parts.blobs.get }),
    definitions: createDefinitionReads(database),
    projects: createProjectReads(database),
    users: createUserReads(database),
    sessions,
    apiKeys: createApiKeyReads(database),
    views: createViewReads(database),
    inbox: createInboxReads(database, notices),
    hints: {
      listen: (runId, wake) => notices.listen(hintOf(runId), wake),
      ...guarded(database, { send: (runIds: readonly string[]) => tell(runIds.map(hintOf)) }),
    },
    ...current(database, { stats: (nowMs: number) => readStats(database, nowMs) }),
    ...guarded(database, { ping: parts.ping }),
    close() {
      closing ??= close()
      return closing
    },
  }
  const store: Store = { ...port, retention: createRetention(database, port, parts.blobs) }
  return { store, breakDown: (error) => queue.break(error), revoked: () => sessions.invalidate() }
}

const hintOf = (runId: string) => `hints/${runId}`

const revokes = new Set<Committed['kind']>(['rotate_session', 'revoke_session', 'revoke_api_key'])

function announce(notices: Notices, committed: readonly Committed[]): void {
  notices.notify('events')
  for (const { kind, runId, fillsInbox } of committed) {
    if (kind === 'append_log_lines') notices.notify(`logs/${runId}`)
    else if (kind === 'append_stream') notices.notify(`streams/${runId}`)
    else if (fillsInbox) notices.notify('inbox')
  }
}

function createEventReads(
  database: Database,
  reads: EventReads,
  notices: Notices,
  closed: AbortSignal,
): Store['events'] {
  const tail = new LogTail(reads, notices, closed, (error) => database.explain(error) instanceof Refusal)
  return {
    ...guarded(database, {
      head: () => reads.head(),
      list: (query: EventQuery & { job_id?: string; run_id?: string }) => reads.list(query),
      ofRun: (runId: string, afterRunSeq?: number, limit?: number) => reads.ofRun(runId, afterRunSeq, limit),
    }),
    follow: (options, signal) => tail.follow(options, signal),
  }
}
