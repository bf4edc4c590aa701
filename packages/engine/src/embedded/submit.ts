import type { ParentLink } from '@kyros/contract/event'
import type { JsonObject } from '@kyros/contract/json'
import { isProblem, ProblemError, problem } from '@kyros/contract/problem'
import type { RunEngine } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { EngineFenced, type Idempotency, type NewRun, type NewRunEvent } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import type { Definitions, StartableWorkflow } from '../definitions/definitions.ts'
import { compileInputCheck, type InputCheck } from '../definitions/input-check.ts'
import type { Engine, Submission, Submitted } from '../engine.ts'
import { engineFlags, sdkVersion } from './engine-flags.ts'
import { isSmall, takeIn } from './payload.ts'
import { type RunGates, rejectionOf } from './run-gates.ts'
import type { Unborn } from './run-table.ts'
import type { EngineClock } from './timers.ts'

/** `input`: as the definition sees it; in the run and its events a large one is a reference. */
export type Accepted = {
  run: NewRun
  events: NewRunEvent[]
  priority: RunRecord['priority']
  input: Submission['input']
}

export type Submitter = Pick<Engine, 'submit' | 'retry'>

export type SubmitterOptions = {
  store: Store
  clock: EngineClock
  definitions: Definitions
  /** Which engine moves the runs. Default: the embedded one. */
  engine?: RunEngine
  gates: RunGates
  /** True where another process, or a later one, has to be told of a new run in the commit that makes it. */
  mustAnnounce: () => boolean
  /** The number of the engine's lease; undefined where nobody has to hold one. */
  epoch: () => number | undefined
  /** Why no run of the workflow may come to be now, where that is known before the commit. */
  refusal?: (run: { type: string; input: Submission['input'] }, hash: string) => Promise<string | undefined>
  /** Lets the run go as far as it can before its commit, where this process moves it and nothing speaks against it. */
  prepare: (accepted: Accepted) => Promise<Unborn | undefined>
  /** Called with every new run once it is on disk. It must not fail: the run is accepted, whatever comes now. */
  onAccepted: (accepted: Accepted) => Promise<void>
}

/** Turns submissions into one durable commit each. */
export function createSubmitter(options: SubmitterOptions): Submitter {
  const { store, definitions, gates, mustAnnounce, epoch, prepare, onAccepted } = options
  const of = options.engine === undefined ? {} : { engine: options.engine }
  // By entry: a workflow that is loaded anew has another schema.
  const checks = new WeakMap<CatalogueEntry, InputCheck>()

  const startable = (workflow: string) => startableIn(definitions, workflow)
  const check = (workflow: StartableWorkflow, input: Submission['input']) => {
    const known = checks.get(workflow.entry) ?? compileInputCheck(workflow.entry)
    checks.set(workflow.entry, known)
    known(input)
  }

  return {
    submit: async (submission) => {
      const workflow = submission.workflow === null ? undefined : startable(submission.workflow)
      if (workflow !== undefined) check(workflow, submission.input)
      const { priority, input, idempotency } = submission
      const stored = isSmall(input) ? input : await takeIn(input, 'The input', store.blobs)
      const run = { ...newRun(submission, workflow, stored), ...of }
      const events = [createdEvent(run, submission), ...firstWait(submission, workflow)]
      const job = jobOf(submission, stored)
      const refusal = workflow && (await options.refusal?.({ type: run.workflow, input }, workflow.hash))
      if (refusal !== undefined) return rejected(store, run, refusal, idempotency)
      const announce = mustAnnounce()
      const lease = epoch()
      const unborn =
        announce || events.length > 1 ? undefined : await prepare({ run, events, priority, input })
      const command = { kind: 'submit_job', job, run, announce, ...(idempotency && { idempotency }) } as const
      if (unborn?.rejection !== undefined) {
        unborn.refuse(unborn.rejection)
        return rejected(store, run, unborn.rejection, idempotency)
      }
      if (unborn === undefined)
        return answer(await store.write({ ...command, events }), { run, events, priority, input }, onAccepted)
      const begun = { ...command, events: [...events, ...unborn.events], ...fence(lease) }
      const written = await committed(unborn, () => store.write(begun)).catch((error: unknown) => {
        // Another process has the engine by now: it is told of the run, and lets it begin.
        if (error instanceof EngineFenced) return store.write({ ...command, events, announce: true })
        throw error
      })
      return 'replayed' in written ? written : { seq: written.seqs[0] ?? 0 }
    },

    retry: async (jobId, next) => {
      const before = await latestRun(store, jobId)
      // With a key the store decides: it may hold the answer to the first try, whose run has not ended.
      if (next.idempotency === undefined) mustHaveEnded(before)
      const workflow = before.type === '' ? undefined : startable(before.type)
      const input = await fromStored(before.input, store.blobs)
      if (workflow !== undefined) check(workflow, input)
      const run = { ...retryOf(before, workflow, next), ...of }
      const events = [
        createdEvent(run, { ...next, priority: before.priority, retryOf: before.id }),
        ...firstWait({ agentId: null, timeMs: next.timeMs }, workflow),
      ]
      const { idempotency } = next
      const loaded = workflow && (await definitions.load(workflow.hash))
      const full = rejectionOf(gates, { ...before, input }, loaded?.definition.concurrency)
      if (full !== undefined) return rejected(store, run, full, idempotency)
      const announced = { run, events, announce: mustAnnounce() }
      const written = await store.write({
        kind: 'retry_job',
        ...announced,
        ...(idempotency && { idempotency }),
      })
      return answer(written, { run, events, priority: before.priority, input }, onAccepted)
    },
  }
}

/** @throws workflow_unknown */
function startableIn({ startable }: Pick<Definitions, 'startable'>, workflow: string): StartableWorkflow {
  const found = startable.get(workflow)
  if (found !== undefined) return found
  const known = [...startable.keys()].join(', ')
  throw problem('workflow_unknown', {
    detail: `There is no workflow ${workflow}. The workflows here are: ${known}.`,
    errors: [{ path: '/workflow', message: 'unknown workflow' }],
  })
}

const fence = (epoch: number | undefined) => (epoch === undefined ? {} : { epoch })

/** The answer to an earlier try with the same key, if there was one. @throws run_concurrency_reached */
export async function rejected(
  store: Store,
  run: NewRun,
  rejection: string,
  idempotency: Idempotency | undefined,
): Promise<Submitted> {
  if (idempotency !== undefined) {
    // A try again of a job that does not exist: it answers by the key, or fails.
    const nothing = { ...run, jobId: run.id }
    const looked = await store
      .write({ kind: 'retry_job', run: nothing, events: [], idempotency })
      .catch((error: unknown) => {
        if (!isProblem(error, 'job_not_found')) throw error
        return undefined
      })
    if (looked !== undefined && 'replayed' in looked) return looked
  }
  throw problem('run_concurrency_reached', {
    detail: `${rejection} Wait until a run has ended, or cancel one.`,
  })
}

/** Writes a new run, and lets what was prepared of it go on, or not. */
async function committed<R extends { seqs: number[] } | { replayed: unknown }>(
  unborn: Unborn,
  write: () => Promise<R>,
): Promise<R> {
  try {
    const written = await write()
    if ('replayed' in written) unborn.refuse('The request was answered before.')
    else unborn.born()
    return written
  } catch (error) {
    unborn.refuse(String(error), isUnclear(error))
    throw error
  }
}

/** Whether it may be on disk all the same. */
function isUnclear(error: unknown): boolean {
  if (error instanceof EngineFenced) return false
  return !(error instanceof ProblemError) || error.code === 'store_unavailable'
}

async function answer(
  written: { seqs: number[] } | Extract<Submitted, { replayed: unknown }>,
  accepted: Accepted,
  onAccepted: SubmitterOptions['onAccepted'],
): Promise<Submitted> {
  if ('replayed' in written) return written
  await onAccepted(accepted)
  return { seq: written.seqs[0] ?? 0 }
}

async function latestRun(store: Store, jobId: string): Promise<RunRecord> {
  const job = await store.jobs.get(jobId)
  const run = job === undefined ? undefined : await store.runs.get(job.run_id)
  if (run === undefined)
    throw problem('run_not_found', { detail: `The job ${jobId} has no run that could be tried again.` })
  return run
}

function mustHaveEnded(run: RunRecord): void {
  if (isTerminal(run.status)) return
  throw problem('run_not_ended', {
    detail: `The run ${run.id} is ${run.status}. Cancel it first, or wait until it ends.`,
  })
}

function newRun(
  submission: Submission,
  workflow: StartableWorkflow | undefined,
  input: Submission['input'],
): NewRun {
  return {
    id: submission.runId,
    jobId: submission.jobId,
    workflow: submission.workflow ?? '',
    version: workflow?.version ?? '',
    definition: workflow?.hash ?? '',
    attempt: 1,
    maxRetries: submission.maxRetries,
    timeoutSeconds: submission.timeoutSeconds,
    input,
    createdBy: submission.principal.id,
    createdByRole: submission.principal.role,
    createdMs: submission.timeMs,
  }
}

function retryOf(
  before: RunRecord,
  workflow: StartableWorkflow | undefined,
  next: Parameters<Engine['retry']>[1],
): NewRun {
  return {
    id: next.runId,
    jobId: before.job_id,
    workflow: before.type,
    version: workflow?.version ?? '',
    definition: workflow?.hash ?? '',
    attempt: before.attempt + 1,
    maxRetries: before.max_retries,
    timeoutSeconds: before.timeout_seconds,
    input: before.input,
    createdBy: next.principal.id,
    createdByRole: next.principal.role,
    createdMs: next.timeMs,
  }
}

function jobOf(submission: Submission, input: Submission['input']) {
  const { jobId: id, title, task, agentId, workflow, priority, projectId } = submission
  const metadata: JsonObject = submission.metadata
  const { principal, timeMs } = submission
  const job = { id, title, task, agentId, workflow, priority, projectId, input, metadata }
  return { ...job, createdBy: principal.id, createdMs: timeMs }
}

/** The first event of a run. */
export function createdEvent(
  run: NewRun,
  of: {
    priority: string
    retryOf?: string | undefined
    parent?: ParentLink | undefined
    traceparent?: string | undefined
  },
): NewRunEvent {
  const { priority, retryOf, parent, traceparent } = of
  return {
    type: 'run.created',
    timeMs: run.createdMs,
    actor: run.createdBy,
    data: {
      workflow: run.workflow,
      version: run.version,
      definition: run.definition,
      input: run.input,
      priority,
      attempt: run.attempt,
      max_retries: run.maxRetries,
      timeout_seconds: run.timeoutSeconds,
      engine_flags: engineFlags,
      sdk_version: sdkVersion,
      created_by: run.createdBy,
      ...(retryOf === undefined ? {} : { retry_of: retryOf }),
      ...(parent === undefined ? {} : { parent }),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  }
}

/** A job that nobody can work on yet is kept and says what it needs, instead of failing. */
function firstWait(
  from: Pick<Submission, 'agentId' | 'timeMs' | 'runAtMs'>,
  workflow: StartableWorkflow | undefined,
): NewRunEvent[] {
  const { timeMs, agentId, runAtMs } = from
  if (workflow === undefined) {
    const who =
      agentId === null ? 'The job names no agent and no workflow' : `There is no agent ${agentId} here`
    const detail = `${who}, and no agents can be set up yet.`
    return [{ type: 'run.waiting', timeMs, data: { reason: 'agent_missing', detail } }]
  }
  if (runAtMs === undefined || runAtMs <= timeMs) return []
  const until = new Date(runAtMs).toISOString()
  return [{ type: 'run.waiting', timeMs, data: { reason: 'timer', until } }]
}
