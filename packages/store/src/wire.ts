import type {
  Command,
  CommandOf,
  Idempotency,
  NewJob,
  NewLogLine,
  NewRun,
  NewRunEvent,
  RunAppend,
} from './command.ts'
import { codeOf, type Facts, jobCreatedCode, packEvents, packSubmission } from './facts.ts'
import type { SqlValue } from './statement.ts'

/**
 * Commands on their way to the writer: one flat list of primitives, because a thread boundary copies those fastest.
 * What is stored as JSON was made into text here, in the caller's thread, and is never parsed and made again.
 */
export type Wire = SqlValue[]

export type HotAppend = {
  runId: string
  expectedRunSeq: number | undefined
  unlessEnded: boolean
  epoch: number | undefined
  facts: Facts
}

export type KeptText = Omit<Idempotency, 'response'> & { response: string }

/** A new run as the writer needs it: columns in the order of the tables, and the text of its first row. */
export type HotSubmission = {
  runId: string
  jobId: string
  createdMs: number
  /** Columns of the job after its `run_ref`; undefined for a new run of an old job. */
  jobColumns: SqlValue[] | undefined
  /** Columns of the run that its creation fixes. */
  runColumns: SqlValue[]
  facts: Facts
  idempotency: KeptText | undefined
  announce: boolean
  epoch: number | undefined
}

export type HotLines = { runId: string; lines: SqlValue[][] }

export type ColdCommand = Exclude<
  Command,
  { kind: 'submit_job' | 'append_run_events' | 'append_many' | 'append_log_lines' }
>

/** A command as the writer works with it. */
export type Decoded =
  | { kind: 'cold'; command: ColdCommand }
  | { kind: 'append'; append: HotAppend }
  | { kind: 'submit'; submission: HotSubmission }
  | { kind: 'lines'; lines: HotLines }
  | { kind: 'many'; appends: HotAppend[] }

const kinds = { cold: 0, append: 1, submit: 2, lines: 3, many: 4 } as const
const none = -1

/** Adds the command to `wire`; returns about how many characters it took. @throws TypeError for an unknown event */
export function encode(wire: Wire, command: Command): number {
  switch (command.kind) {
    case 'append_run_events':
      wire.push(kinds.append)
      return encodeAppend(wire, command, command.epoch)
    case 'append_many': {
      wire.push(kinds.many, command.appends.length)
      let chars = 0
      for (const append of command.appends) {
        chars += encodeAppend(wire, append, append.epoch ?? command.epoch)
      }
      return chars
    }
    case 'submit_job':
      wire.push(kinds.submit)
      return encodeSubmission(wire, toSubmission(command, command.job))
    case 'append_log_lines':
      wire.push(kinds.lines, command.runId, command.lines.length)
      return encodeLines(wire, command.lines)
    default: {
      const text = JSON.stringify(command)
      wire.push(kinds.cold, text)
      return text.length
    }
  }
}

function encodeAppend(wire: Wire, append: RunAppend, epoch: number | undefined): number {
  const { runId, events, expectedRunSeq, unlessEnded } = append
  const text = packEvents(events)
  wire.push(runId, expectedRunSeq ?? none, unlessEnded ? 1 : 0, epoch ?? none, events.length)
  for (const event of events) wire.push(codeOf(event.type), event.timeMs)
  wire.push(text)
  return text.length
}

/** What a command says of a new run; `job` where it is made with it. */
export function toSubmission(
  command: Pick<CommandOf<'submit_job'>, 'run' | 'events' | 'idempotency' | 'announce' | 'epoch'>,
  job?: NewJob,
): HotSubmission {
  const { run, events, idempotency, announce, epoch } = command
  const input = JSON.stringify(run.input)
  const jobInput = job === undefined || job.input === run.input ? input : JSON.stringify(job.input)
  return {
    runId: run.id,
    jobId: run.jobId,
    createdMs: run.createdMs,
    jobColumns: job && jobColumns(job, jobInput),
    runColumns: runColumns(run, job !== undefined && input === jobInput ? null : input),
    facts: newRunFacts(run, events, job),
    idempotency: idempotency && { ...idempotency, response: JSON.stringify(idempotency.response) },
    announce: announce === true,
    epoch,
  }
}

function newRunFacts(run: NewRun, events: readonly NewRunEvent[], job: NewJob | undefined): Facts {
  const codes = events.map(({ type }) => codeOf(type))
  const times = events.map(({ timeMs }) => timeMs)
  if (job !== undefined) {
    codes.unshift(jobCreatedCode)
    times.unshift(job.createdMs)
  }
  return { count: codes.length, codes, times, text: packSubmission(run, events, job) }
}

/** In the order of `insertJobs`, after `id` and `run_ref`. */
function jobColumns(job: NewJob, input: string): SqlValue[] {
  const { title, task, agentId, workflow, priority, projectId, createdBy, createdMs } = job
  const metadata = JSON.stringify(job.metadata)
  return [title, task, agentId, workflow, priority, projectId, createdBy, createdMs, input, metadata]
}

/** In the order of `insertRuns`, after `ref`. `input` is null where it is the job's. */
export const inputColumn = 8
export const engineColumn = 12

function runColumns(run: NewRun, input: string | null): SqlValue[] {
  return [
    ...[run.id, run.jobId, run.workflow, run.version, run.definition, run.attempt, run.maxRetries],
    ...[run.timeoutSeconds, input, run.createdBy, run.createdByRole, run.createdMs, run.engine ?? 'embedded'],
  ]
}

function encodeSubmission(wire: Wire, submission: HotSubmission): number {
  const { runId, jobId, createdMs, jobColumns, runColumns, facts, idempotency, announce, epoch } = submission
  wire.push(runId, jobId, createdMs, announce ? 1 : 0, epoch ?? none)
  wire.push(jobColumns?.length ?? none, ...(jobColumns ?? []), runColumns.length, ...runColumns)
  wire.push(facts.count)
  for (const [index, code] of facts.codes.entries()) wire.push(code, facts.times[index] ?? 0)
  wire.push(facts.text)
  if (idempotency === undefined) {
    wire.push(null)
    return 3 * facts.text.length
  }
  const { principal, route, key, fingerprint, status, response, createdMs: keptMs } = idempotency
  wire.push(principal, route, key, fingerprint, status, response, keptMs)
  return 3 * facts.text.length + response.length
}

function encodeLines(wire: Wire, lines: readonly NewLogLine[]): number {
  let chars = 0
  for (const { timeMs, level, step, attempt, message } of lines) {
    wire.push(timeMs, level, step, attempt, message)
    chars += message.length + 20
  }
  return chars
}

/** Reads a wire from its beginning to its end. */
export function decodeAll(wire: Wire): Decoded[] {
  const reader = new WireReader(wire)
  const commands: Decoded[] = []
  while (!reader.isAtEnd) commands.push(decode(reader))
  return commands
}

function decode(reader: WireReader): Decoded {
  const kind = reader.number()
  switch (kind) {
    case kinds.append:
      return { kind: 'append', append: decodeAppend(reader) }
    case kinds.many: {
      const appends: HotAppend[] = []
      for (let left = reader.number(); left > 0; left--) appends.push(decodeAppend(reader))
      return { kind: 'many', appends }
    }
    case kinds.submit:
      return { kind: 'submit', submission: decodeSubmission(reader) }
    case kinds.lines: {
      const runId = reader.text()
      const lines: SqlValue[][] = []
      for (let left = reader.number(); left > 0; left--) lines.push(reader.values(5))
      return { kind: 'lines', lines: { runId, lines } }
    }
    case kinds.cold:
      return { kind: 'cold', command: JSON.parse(reader.text()) }
    default:
      throw new TypeError(`There is no command ${kind}`)
  }
}

function decodeAppend(reader: WireReader): HotAppend {
  const runId = reader.text()
  const expected = reader.number()
  const unlessEnded = reader.number() === 1
  const epoch = reader.number()
  return {
    runId,
    expectedRunSeq: expected === none ? undefined : expected,
    unlessEnded,
    epoch: epoch === none ? undefined : epoch,
    facts: decodeFacts(reader),
  }
}

function decodeFacts(reader: WireReader): Facts {
  const count = reader.number()
  const codes: number[] = []
  const times: number[] = []
  for (let index = 0; index < count; index++) {
    codes.push(reader.number())
    times.push(reader.number())
  }
  return { count, codes, times, text: reader.text() }
}

function decodeSubmission(reader: WireReader): HotSubmission {
  const runId = reader.text()
  const jobId = reader.text()
  const createdMs = reader.number()
  const announce = reader.number() === 1
  const lease = reader.number()
  const epoch = lease === none ? undefined : lease
  const jobWidth = reader.number()
  const jobColumns = jobWidth === none ? undefined : reader.values(jobWidth)
  const runColumns = reader.values(reader.number())
  const facts = decodeFacts(reader)
  const principal = reader.value()
  const idempotency = typeof principal === 'string' ? decodeKept(principal, reader) : undefined
  return { runId, jobId, createdMs, jobColumns, runColumns, facts, idempotency, announce, epoch }
}

function decodeKept(principal: string, reader: WireReader): KeptText {
  return {
    principal,
    route: reader.text(),
    key: reader.text(),
    fingerprint: reader.text(),
    status: reader.number(),
    response: reader.text(),
    createdMs: reader.number(),
  }
}

class WireReader {
  readonly #wire: Wire
  #at = 0

  constructor(wire: Wire) {
    this.#wire = wire
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#wire.length
  }

  value(): SqlValue {
    const value = this.#wire[this.#at++]
    if (value === undefined) throw new TypeError('The wire ends too early')
    return value
  }

  values(count: number): SqlValue[] {
    const from = this.#at
    this.#at += count
    return this.#wire.slice(from, this.#at)
  }

  number(): number {
    const value = this.#wire[this.#at++]
    if (typeof value !== 'number') throw new TypeError(`The wire has no number at ${this.#at - 1}`)
    return value
  }

  text(): string {
    const value = this.#wire[this.#at++]
    if (typeof value !== 'string') throw new TypeError(`The wire has no text at ${this.#at - 1}`)
    return value
  }
}
