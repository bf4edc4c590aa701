import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { isTerminal } from '@kyros/contract/run-status'
import type { NewRunEvent } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import type { StepFunction } from '../embedded/attempt.ts'
import type { Engine, Submission } from '../engine.ts'
import { withResult } from './replay-finished.ts'

/** The same functions do the steps of every workflow of a test. */
export type SuiteSteps = { readonly [step: string]: StepFunction }

export type SuiteOptions = {
  steps: SuiteSteps
  workflows?: readonly CatalogueEntry[]
  maxAttempts?: number
}

/** One engine under test with its store. */
export type EngineRig = {
  readonly engine: Engine
  readonly store: Store
  newId(): string
  projectId: string
  /** Stops without draining, as a crash would, and starts again on the same store. */
  restart(options?: Partial<SuiteOptions>): Promise<void>
  /** Drains and starts no other. */
  stop(): Promise<void>
}

export type SuiteCase = {
  name: string
  create: (options: SuiteOptions) => Promise<EngineRig>
  /** Leaves out what differs from another case in nothing but where the same bytes are kept. */
  isBrief?: boolean
}

export const owner = { id: 'user:suite', role: 'admin' } as const
// Longer than the lease that a dead engine leaves behind, two looks for forgotten runs, and 30 parts of a run on a busy cluster.
const patienceMs = 25_000

export async function submit(
  rig: EngineRig,
  workflow: string | null,
  input: Json = null,
  change: Partial<Submission> = {},
): Promise<string> {
  const submission = { ...submissionOf(rig, workflow, input), ...change }
  await rig.engine.submit(submission)
  return submission.runId
}

export function submissionOf(rig: EngineRig, workflow: string | null, input: Json = null): Submission {
  return {
    jobId: rig.newId(),
    runId: rig.newId(),
    title: workflow ?? 'nothing to run',
    task: null,
    agentId: null,
    workflow,
    input,
    priority: 'medium',
    projectId: rig.projectId,
    metadata: {},
    maxRetries: 2,
    timeoutSeconds: 60,
    principal: owner,
    timeMs: Date.now(),
  }
}

export async function record(rig: EngineRig, runId: string): Promise<RunRecord> {
  const found = await rig.store.runs.get(runId)
  if (found === undefined) throw new Error(`no run ${runId}`)
  return found
}

export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const giveUpMs = Date.now() + patienceMs
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (Date.now() > giveUpMs) throw new Error(`waited in vain; last seen: ${JSON.stringify(value)}`)
    await delay(4)
  }
}

/** The run once it has ended, with its result, which may be too large for the record. */
export async function ended(rig: EngineRig, runId: string): Promise<RunRecord> {
  const run = await until(
    () => record(rig, runId),
    ({ status }) => isTerminal(status),
  )
  return withResult(run, rig.store)
}

export function waiting(rig: EngineRig, runId: string, reason: string): Promise<RunRecord> {
  return until(
    () => record(rig, runId),
    (run) => run.status === 'waiting' && run.reason === reason,
  )
}

export async function eventTypes(rig: EngineRig, runId: string): Promise<string[]> {
  const events: Event[] = await rig.store.events.ofRun(runId)
  return events.map((event) => event.type)
}

/** Resolves when its promise is opened; counts who came. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const came = Promise.withResolvers<void>()
  return { opened: promise, open: resolve, came: came.promise, arrive: came.resolve }
}

/** How a step that obeys its signal waits. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

export const echo: StepFunction = async (input) => input
/** Steps that give back what they are given. */
export const plain: SuiteSteps = { First: echo, Second: echo, Third: echo, CleanUp: echo }

export type OpenRig = (options: SuiteOptions) => Promise<EngineRig>

/** A new run with these events, as a process that died after them left it. */
export async function copyRun(rig: EngineRig, events: NewRunEvent[], definition: string): Promise<string> {
  const [runId, jobId, createdMs] = [rig.newId(), rig.newId(), Date.now()]
  const created = events[0]
  if (created?.type !== 'run.created') throw new Error('a run begins with run.created')
  const { workflow, version, input } = created.data
  const common = { priority: 'medium', createdBy: owner.id, createdMs } as const
  const job = {
    ...common,
    id: jobId,
    title: 'copy',
    task: null,
    agentId: null,
    workflow,
    input,
    metadata: {},
  }
  const run = {
    id: runId,
    jobId,
    workflow,
    version,
    definition,
    attempt: 1,
    maxRetries: 2,
    timeoutSeconds: 60,
    input,
  }
  await rig.store.write({
    kind: 'submit_job',
    job: { ...job, projectId: rig.projectId },
    run: { ...run, createdBy: owner.id, createdByRole: owner.role, createdMs },
    events,
  })
  return runId
}
