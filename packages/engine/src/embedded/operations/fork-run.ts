import { type ForkOrigin, isRunEvent } from '@kyros/contract/event'
import { problem } from '@kyros/contract/problem'
import type { RunEngine } from '@kyros/contract/run'
import type { NewJob, NewRun, NewRunEvent } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import type { Definitions, LoadedDefinition } from '../../definitions/definitions.ts'
import type { RunOperations, Submitted } from '../../engine.ts'
import { asNewEvent, originOf, withPayloads } from '../history.ts'
import { readFacts } from '../run-facts.ts'
import { admissionOf, fullSentence, type RunGates, rejectionOf } from '../run-gates.ts'
import { createdEvent, rejected } from '../submit.ts'
import type { WaitpointTokens } from '../waitpoint-tokens.ts'
import type { Recorded } from '../workflow-command.ts'
import { WorkflowHost } from '../workflow-host.ts'
import { forkPrefix, stepKeys } from './fork-history.ts'
import { readRun } from './read-run.ts'
import { replayBeside } from './scratch-replay.ts'

export type ForkParts = {
  store: Store
  gates: RunGates
  definitions: Definitions
  waitpointTokens: WaitpointTokens
  /** True where another process has to be told of the new run in the commit that makes it. */
  mustAnnounce: () => boolean
  /** What moves the new run; left out: `embedded`. */
  engine?: RunEngine
  /** Throws for what this engine cannot take over. Asked before anything is written. */
  mustTake?: (taken: readonly NewRunEvent[], runId: string) => void
}

type From = Parameters<RunOperations['fork']>[1]

/**
 * One commit makes the new run with all that it takes over.
 * @throws run_step_not_found, run_diverged, run_not_ended, run_concurrency_reached, run_fork_unsupported
 */
export async function forkRun(parts: ForkParts, runId: string, from: From): Promise<Submitted> {
  const { store } = parts
  const record = await readRun(store, runId)
  const input = await fromStored(record.input, store.blobs)
  const stored = (await store.events.ofRun(runId)).filter((event) => isRunEvent(event))
  const said = stored.map((event) => withoutPlace(asNewEvent(event)))
  const taken = forkPrefix(said, from.fromStep)
  if (taken === undefined) throw stepNotFound(runId, from.fromStep, stepKeys(said))
  parts.mustTake?.(taken, runId)
  const origin = originOf(said) ?? { run_id: runId, attempt: record.attempt }
  const fork = { runId: from.runId, origin, taken }
  const { hash, version, definition } = await fittingDefinition(parts, record, fork)
  const run = { ...newRun(record, from, hash, version), ...(parts.engine && { engine: parts.engine }) }
  const whole = { ...record, input }
  const full = rejectionOf(parts.gates, whole, definition.concurrency)
  if (full !== undefined) return rejected(store, run, full, from.idempotency)
  const wait = placeWait(whole, definition, from.timeMs)
  const prefix = ownParts(fork, { definition: hash, version }, from)
  const forked: NewRunEvent = {
    type: 'run.forked',
    timeMs: from.timeMs,
    actor: from.principal.id,
    data: { from_run: runId, from_step: from.fromStep, origin },
  }
  const created = createdEvent(run, { priority: record.priority, traceparent: from.traceparent })
  const events = [created, forked, ...prefix, ...wait]
  const written = await write(parts, record, from, run, events)
  return 'replayed' in written ? written : { seq: written.seqs[0] ?? 0 }
}

async function write(
  { store, mustAnnounce }: ForkParts,
  record: RunRecord,
  from: From,
  run: NewRun,
  events: NewRunEvent[],
) {
  const { idempotency } = from
  const rest = { run, events, announce: mustAnnounce(), ...(idempotency && { idempotency }) }
  if (from.jobId === undefined) return store.write({ kind: 'retry_job', ...rest })
  return store.write({ kind: 'submit_job', job: await newJob(store, record, from.jobId, from), ...rest })
}

/** Where an event was read in the history of the other run says nothing of this one. */
function withoutPlace(event: NewRunEvent): NewRunEvent {
  if (!('history' in event.data)) return event
  const { history: _, ...data } = event.data
  // The same event with one optional field less.
  return { ...event, data } as NewRunEvent
}

/** A part that is taken over goes on as the fork: a replay may begin with it and not see what is before. */
function ownParts(
  { taken, origin }: Fork,
  bundle: { definition: string; version: string },
  { timeMs: startedMs, traceparent }: Pick<From, 'timeMs' | 'traceparent'>,
): NewRunEvent[] {
  return taken.map((event) => {
    if (event.type !== 'run.continued') return event
    const { traceparent: _, ...kept } = event.data.before ?? { inbox_ids: [] }
    const traced = traceparent === undefined ? {} : { traceparent }
    const before = { ...kept, started_ms: startedMs, active_ms: 0, origin, ...traced }
    return { ...event, data: { ...event.data, ...bundle, before } }
  })
}

type Fork = { runId: string; origin: ForkOrigin; taken: readonly NewRunEvent[] }

/** The newest definition of the workflow if it replays what is taken over, or else the one that the run had. */
async function fittingDefinition(
  { store, definitions, waitpointTokens }: ForkParts,
  record: RunRecord,
  { runId, origin, taken }: Fork,
): Promise<{ hash: string; version: string; definition: LoadedDefinition['definition'] }> {
  const own = { hash: record.definition, version: record.version }
  const newest = definitions.startable.get(record.type)
  const candidates = newest === undefined || newest.hash === own.hash ? [own] : [newest, own]
  const events = await Promise.all(taken.map((event) => withPayloads(event, store)))
  const facts = { ...(await readFacts(record, { origin }, store)), runId }
  const waitpointToken = (part: number, command: number) => waitpointTokens.sign({ runId, part, command })
  let fault = `The definition ${own.hash} of the run is not in the store.`
  for (const { hash, version } of candidates) {
    const loaded = await definitions.load(hash)
    if (loaded === undefined) continue
    const run = { ...facts, definition: hash, version }
    const createHost = (recorded: Map<number, Recorded>) =>
      new WorkflowHost({ run, loaded, recorded, onLog: () => {}, waitpointToken })
    const { outcome } = await replayBeside(events, run, loaded, createHost)
    if (outcome?.kind !== 'blocked') return { hash, version, definition: loaded.definition }
    fault = outcome.detail
  }
  throw problem('run_diverged', { detail: `What the fork would take over cannot be replayed. ${fault}` })
}

/**
 * Where runs are limited a fork begins by waiting for its place: who commits it need not know whether there is one, and
 * who takes it up decides.
 */
function placeWait(
  record: RunRecord,
  { concurrency }: LoadedDefinition['definition'],
  timeMs: number,
): NewRunEvent[] {
  const admission = admissionOf(record.type, concurrency, record.input)
  if (admission === undefined) return []
  const detail = fullSentence(record.type, admission)
  return [{ type: 'run.waiting', timeMs, data: { reason: 'concurrency', detail } }]
}

function newRun(record: RunRecord, from: From, definition: string, version: string): NewRun {
  return {
    id: from.runId,
    jobId: from.jobId ?? record.job_id,
    workflow: record.type,
    version,
    definition,
    attempt: from.jobId === undefined ? record.attempt + 1 : 1,
    maxRetries: record.max_retries,
    timeoutSeconds: record.timeout_seconds,
    input: record.input,
    createdBy: from.principal.id,
    createdByRole: from.principal.role,
    createdMs: from.timeMs,
  }
}

async function newJob(store: Store, record: RunRecord, id: string, from: From): Promise<NewJob> {
  const job = await store.jobs.get(record.job_id)
  if (job === undefined) {
    throw problem('run_not_found', { detail: `The job of run ${record.id} is not there any more.` })
  }
  const { title, task, agent_id: agentId, workflow, priority, project_id: projectId } = job
  // The job's metadata are JSON: the store keeps nothing else.
  const metadata = job.metadata as NewJob['metadata']
  const createdBy = from.principal.id
  return {
    ...{ id, title, task, agentId, workflow, priority, projectId, metadata },
    ...{ createdBy, createdMs: from.timeMs, input: record.input },
  }
}

function stepNotFound(runId: string, step: string, keys: readonly string[]) {
  const known = keys.slice(0, 50).join(', ') || 'none yet'
  return problem('run_step_not_found', {
    detail: `The run ${runId} has no step ${step}. Its steps are: ${known}.`,
  })
}
