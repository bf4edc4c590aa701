import { type RunEventType, runEventTypes } from '@kyros/contract/event'
import type { Json, JsonObject } from '@kyros/contract/json'
import type { RunEngine } from '@kyros/contract/run'
import type { NewJob, NewRun, NewRunEvent } from './command.ts'

/** What the projections need beside the public data of a run's first fact. `engine`: where it is not `embedded`. */
export type KeptRun = { id: string; job_id: string; role: string; engine?: RunEngine }

/** The same of `job.created`. `input`: where it is not the run's. */
export type KeptJob = { id: string; task: string | null; metadata: JsonObject; input?: Json }

/** One fact in a row of the journal; readers of the port never see what is kept. */
export type PackedFact = readonly [
  type: string,
  timeMs: number,
  data: JsonObject,
  actor?: string | null,
  kept?: KeptRun | KeptJob,
]

/** The facts of one append as they travel to the writer: text that is stored as it is, and what the fold needs of it. */
export type Facts = {
  readonly count: number
  /** Numbers of the types, of this process only. */
  readonly codes: readonly number[]
  readonly times: readonly number[]
  /** A JSON array of PackedFact. */
  readonly text: string
}

const codes = new Map<string, number>(runEventTypes.map((type, code) => [type, code]))

/** In the row of a submission; it is a fact of the job, and counts as the run's number 0. */
export const jobCreated = 'job.created'
export const jobCreatedCode = runEventTypes.length
export const continuedCode = codeOf('run.continued')

export function codeOf(type: string): number {
  if (type === jobCreated) return jobCreatedCode
  const code = codes.get(type)
  if (code === undefined) throw new TypeError(`${type} is no event of a run`)
  return code
}

export function typeOf(code: number): RunEventType {
  const type = runEventTypes[code]
  if (type === undefined) throw new TypeError(`There is no type ${code}`)
  return type
}

/** Types whose data the state of a run does not depend on; a test holds that. They are folded without being parsed. */
const plainTypes: readonly RunEventType[] = [
  ...(['run.created', 'run.started', 'run.resumed', 'run.pause_requested', 'run.resume_requested'] as const),
  ...(['step.scheduled', 'step.started', 'step.completed', 'step.failed', 'step.cancelled'] as const),
  ...(['timer.started', 'timer.fired', 'timer.cancelled', 'signal.received', 'value.recorded'] as const),
]
export const isPlain: readonly boolean[] = runEventTypes.map((type) => plainTypes.includes(type))

export function packEvents(events: readonly NewRunEvent[]): string {
  return JSON.stringify(events.map(packEvent))
}

function packEvent({ type, timeMs, data, actor }: NewRunEvent) {
  return actor === undefined ? [type, timeMs, data] : [type, timeMs, data, actor]
}

/** All facts of a new run and, where it is made with it, of its job: one row of the journal. */
export function packSubmission(run: NewRun, events: readonly NewRunEvent[], job?: NewJob): string {
  const kept: KeptRun = { id: run.id, job_id: run.jobId, role: run.createdByRole }
  if (run.engine !== undefined && run.engine !== 'embedded') kept.engine = run.engine
  const facts = events.map((event, index) =>
    index === 0 ? [event.type, event.timeMs, event.data, event.actor ?? null, kept] : packEvent(event),
  )
  return JSON.stringify(job === undefined ? facts : [packJob(job, run), ...facts])
}

function packJob(job: NewJob, run: NewRun): PackedFact {
  const data = {
    title: job.title,
    workflow: job.workflow,
    agent_id: job.agentId,
    priority: job.priority,
    project_id: job.projectId,
    run_id: run.id,
  }
  const kept: KeptJob = {
    id: job.id,
    task: job.task,
    metadata: job.metadata,
    ...(job.input !== run.input && { input: job.input }),
  }
  return [jobCreated, job.createdMs, data, job.createdBy, kept]
}

/** What is in `data` of a row that belongs to a run; only the writer fills it. */
export function unpack(text: string): readonly PackedFact[] {
  return JSON.parse(text)
}

/** The facts of a row that is in the journal already. */
export function factsOf(text: string): Facts {
  const facts = unpack(text)
  return {
    count: facts.length,
    codes: facts.map(([type]) => codeOf(type)),
    times: facts.map(([, timeMs]) => timeMs),
    text,
  }
}
