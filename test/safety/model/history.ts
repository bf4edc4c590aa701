import { type Event, isRunEvent, type RunEvent } from '@kyros/contract/event'
import { applyToState, emptyRunState, type RunState } from '@kyros/contract/run-state'
import { isTerminal } from '@kyros/contract/run-status'
import type { Store } from '@kyros/store/store'
import type { Findings } from './findings.ts'

export type StepHistory = {
  /** When each attempt was recorded as begun. */
  starts: { attempt: number; timeMs: number }[]
  completedMs: number | undefined
  isOver: boolean
}

export type RunHistory = {
  state: RunState & { result?: unknown }
  jobId: string
  workflow: string
  /** By the step's key. */
  steps: Map<string, StepHistory>
  timers: { fireAtMs: number; firedMs: number | undefined }[]
  /** In the order in which they came. */
  signals: { signal: string; value: unknown }[]
  /** By its id, in the order in which they were accepted. */
  updates: Map<string, { value: unknown; result: unknown }>
  /** What its waitpoints were answered with. */
  answers: unknown[]
  /** Run and command that this run is the child of. */
  parent: string | undefined
  children: string[]
}

export type History = {
  runs: Map<string, RunHistory>
  /** Number in the run, run and type of every event, by its number. */
  events: Map<number, string>
  /** What events refer to, and which event it was. */
  blobs: Map<string, string>
  head: number
}

const pageSize = 200

/** Reads the whole log once and says where its numbers, its order or its times are wrong. */
export async function readHistory(store: Store, findings: Findings): Promise<History> {
  const history: History = {
    runs: new Map(),
    events: new Map(),
    blobs: new Map(),
    head: await store.events.head(),
  }
  if (history.head === 0) return history
  let last = 0
  while (last < history.head) {
    const { items } = await store.events.list({ after: last, limit: pageSize })
    if (items.length === 0) findings.lost.push(`the log ends at ${last}, its head is ${history.head}`)
    if (items.length === 0) break
    for (const event of items) {
      if (event.seq > last + 1)
        findings.lost.push(`events ${last + 1} to ${event.seq - 1} are not in the log`)
      if (event.seq <= last) findings.doubled.push(`event ${event.seq} comes after ${last}`)
      last = event.seq
      add(history, event, findings)
    }
  }
  return history
}

export function nameOf(runSeq: number, runId: string, type: string): string {
  return `${runSeq} ${runId} ${type}`
}

function add(history: History, event: Event, findings: Findings): void {
  history.events.set(event.seq, nameOf(event.run_seq ?? 0, event.run_id ?? '', event.type))
  if (!isRunEvent(event)) return
  const run = history.runs.get(event.run_id) ?? newRun(event.job_id ?? '')
  history.runs.set(event.run_id, run)
  const expected = run.state.run_seq + 1
  const where = `run ${event.run_id} at ${event.run_seq} (${event.type})`
  if (event.run_seq > expected) findings.lost.push(`${where}: ${expected} is not there`)
  if (event.run_seq < expected) findings.doubled.push(`${where}: that number was given before`)
  if (isTerminal(run.state.status)) findings.wrong.push(`${where}: the run had ended as ${run.state.status}`)
  if (event.run_seq === 1 && event.type !== 'run.created')
    findings.wrong.push(`${where}: it was not created first`)
  addToSteps(run, event, where, findings)
  addAnswers(run, event, where, findings)
  for (const [, sha256 = ''] of JSON.stringify(event.data).matchAll(/"\$blob":"([0-9a-f]{64})"/g)) {
    history.blobs.set(sha256, where)
  }
  run.state = applyToState(run.state, event)
}

function newRun(jobId: string): RunHistory {
  const none = { timers: [], signals: [], answers: [], parent: undefined, children: [] }
  return { state: emptyRunState, jobId, workflow: '', steps: new Map(), updates: new Map(), ...none }
}

function addToSteps(run: RunHistory, event: RunEvent, where: string, findings: Findings): void {
  const timeMs = Date.parse(event.time)
  addToFamily(run, event, where, findings)
  if (event.type === 'signal.received') {
    run.signals.push({ signal: event.data.signal, value: event.data.payload })
  }
  if (event.type === 'timer.started') {
    run.timers.push({ fireAtMs: Date.parse(event.data.fire_at), firedMs: undefined })
  }
  if (event.type === 'timer.fired') {
    const timer = run.timers.find(({ firedMs }) => firedMs === undefined)
    if (timer === undefined) findings.doubled.push(`${where}: no timer was running`)
    else timer.firedMs = timeMs
    if (timer && timeMs < timer.fireAtMs) findings.wrong.push(`${where}: ${timer.fireAtMs - timeMs} ms early`)
  }
  if (event.type === 'step.scheduled') {
    if (run.steps.has(event.data.key))
      findings.doubled.push(`${where}: ${event.data.key} was scheduled before`)
    run.steps.set(event.data.key, { starts: [], completedMs: undefined, isOver: false })
  }
  if (
    event.type === 'step.started' ||
    event.type === 'step.completed' ||
    event.type === 'step.failed' ||
    event.type === 'step.cancelled'
  ) {
    const step = run.steps.get(event.data.key)
    if (step === undefined) findings.wrong.push(`${where}: ${event.data.key} was never scheduled`)
    else addToStep(step, event, { where, timeMs, findings })
  }
}

function addAnswers(run: RunHistory, event: RunEvent, where: string, findings: Findings): void {
  if (event.type === 'waitpoint.completed') run.answers.push(event.data.payload)
  if (event.type === 'update.accepted') {
    const { update_id, payload } = event.data
    if (run.updates.has(update_id)) findings.doubled.push(`${where}: ${update_id} was accepted before`)
    run.updates.set(update_id, { value: payload, result: undefined })
  }
  if (event.type !== 'update.completed') return
  const update = run.updates.get(event.data.update_id)
  if (update === undefined) findings.wrong.push(`${where}: it was never accepted`)
  else if (update.result !== undefined) findings.doubled.push(`${where}: it had a result`)
  else update.result = event.data.result
}

function addToFamily(run: RunHistory, event: RunEvent, where: string, findings: Findings): void {
  if (event.type === 'run.created') {
    const { workflow, parent } = event.data
    run.workflow = workflow
    run.parent = parent && `${parent.run_id} ${parent.command}`
  }
  if (event.type === 'run.continued') {
    // Its commands count from 1 again.
    run.steps.clear()
    run.timers = []
  }
  if (event.type !== 'child.started') return
  if (run.children.includes(event.data.run_id)) findings.doubled.push(`${where}: that child was begun before`)
  run.children.push(event.data.run_id)
}

type StepEvent = Extract<
  RunEvent,
  { type: 'step.started' | 'step.completed' | 'step.failed' | 'step.cancelled' }
>

function addToStep(
  step: StepHistory,
  event: StepEvent,
  { where, timeMs, findings }: { where: string; timeMs: number; findings: Findings },
): void {
  if (step.isOver) findings.doubled.push(`${where}: ${event.data.key} was over`)
  if (event.type === 'step.started') {
    step.starts.push({ attempt: event.data.attempt, timeMs })
    return
  }
  const last = step.starts.at(-1)
  if (event.type !== 'step.cancelled' && last?.attempt !== event.data.attempt) {
    findings.wrong.push(`${where}: attempt ${event.data.attempt} of ${event.data.key} did not begin`)
  }
  step.isOver = event.type !== 'step.failed' || event.data.retry_at === undefined
  if (event.type !== 'step.completed') return
  step.completedMs = timeMs
}
