import { randomBytes } from 'node:crypto'
import type { Event } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { ProblemCode } from '@kyros/contract/problem'
import { uuidv7 } from '@kyros/contract/uuidv7'
import { expect } from 'vitest'
import type { CommandOf, Idempotency, NewJob, NewRun, NewRunEvent } from '../command.ts'
import type { FollowOptions, Store } from '../store.ts'

/** One way to open a store; every test gets an empty one. */
export type StoreCase = {
  name: string
  open(): Promise<Store>
  /** Closes it and removes what it left. */
  close(store: Store): Promise<void>
}

export const startMs = Date.UTC(2026, 0, 1)
export const projectId = uuidv7(startMs, randomBytes(10))

export function newId(timeMs = startMs): string {
  return uuidv7(timeMs, randomBytes(10))
}

export function newJob(changes: Partial<NewJob> = {}): NewJob {
  const createdMs = changes.createdMs ?? startMs
  return {
    id: newId(createdMs),
    title: 'Analyse the repository',
    task: null,
    agentId: null,
    workflow: 'code_analysis',
    priority: 'medium',
    projectId,
    createdBy: 'user:ada',
    createdMs,
    input: { path: '/srv/repository' },
    metadata: {},
    ...changes,
  }
}

export function newRun(job: NewJob, changes: Partial<NewRun> = {}): NewRun {
  return {
    id: newId(job.createdMs),
    jobId: job.id,
    workflow: job.workflow ?? 'none',
    version: '1',
    definition: 'd'.repeat(64),
    attempt: 1,
    maxRetries: 3,
    timeoutSeconds: 3600,
    input: job.input,
    createdBy: job.createdBy,
    createdByRole: 'operator',
    createdMs: job.createdMs,
    ...changes,
  }
}

export function runCreated(run: NewRun): NewRunEvent {
  const data = {
    workflow: run.workflow,
    version: run.version,
    definition: run.definition,
    input: run.input,
    priority: 'medium',
    attempt: run.attempt,
    max_retries: run.maxRetries,
    timeout_seconds: run.timeoutSeconds,
    engine_flags: 0,
    sdk_version: '1',
    created_by: run.createdBy,
  }
  return { type: 'run.created', timeMs: run.createdMs, actor: run.createdBy, data }
}

export type Submitted = { job: NewJob; run: NewRun }

export function submission(
  changes: Partial<NewJob> = {},
  idempotency?: Idempotency,
): CommandOf<'submit_job'> {
  const job = newJob(changes)
  const run = newRun(job)
  return { kind: 'submit_job', job, run, events: [runCreated(run)], ...(idempotency && { idempotency }) }
}

export async function submit(store: Store, changes: Partial<NewJob> = {}): Promise<Submitted> {
  const command = submission(changes)
  await store.write(command)
  return { job: command.job, run: command.run }
}

export const started: NewRunEvent = { type: 'run.started', timeMs: startMs + 1_000, data: {} }

export function completed(result: Json, timeMs = startMs + 3_000): NewRunEvent {
  return { type: 'run.completed', timeMs, data: { result } }
}

export function waiting(reason: string, timeMs = startMs + 1_000): NewRunEvent {
  return { type: 'run.waiting', timeMs, data: { reason, detail: `because of ${reason}` } }
}

export function append(store: Store, runId: string, ...events: NewRunEvent[]) {
  return store.write({ kind: 'append_run_events', runId, events })
}

export function keyed(key: string, fingerprint: string, createdMs = startMs) {
  return {
    principal: 'user:ada',
    route: 'POST /api/v1/jobs',
    key,
    fingerprint,
    status: 201,
    response: { answered: fingerprint },
    createdMs,
  } satisfies Idempotency
}

export async function expectProblem(promise: Promise<unknown>, code: ProblemCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'ProblemError', code })
}

/** Every event of the log, page by page. */
export async function readLog(store: Store): Promise<Event[]> {
  const events: Event[] = []
  let cursor: string | undefined
  do {
    const page = await store.events.list({ limit: 7, ...(cursor !== undefined && { cursor }) })
    events.push(...page.items)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return events
}

/** Follows until `count` events came, or until the test's time is over. */
export async function collect(store: Store, options: FollowOptions, count: number): Promise<Event[]> {
  const events: Event[] = []
  const stop = new AbortController()
  const late = setTimeout(() => stop.abort(), 10_000)
  for await (const batch of store.events.follow(options, stop.signal)) {
    if ('events' in batch) events.push(...batch.events)
    if (events.length >= count) stop.abort()
  }
  clearTimeout(late)
  return events
}
