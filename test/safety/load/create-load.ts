import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Event, isRunEnd } from '@kyros/contract/event'
import { ProblemError } from '@kyros/contract/problem'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { Engine } from '@kyros/engine/engine'
import type { Store } from '@kyros/store/store'
import { askRun } from './ask-run.ts'
import type { LoadOptions } from './load-process.ts'
import { asked, forked, forkedFrom, inputOf, type Planned, planned, signalled } from './plan.ts'
import type { Random } from './random.ts'
import { type openRecords, type Record, readRecords } from './records.ts'

export type LoadParts = {
  store: Store
  engine: Engine
  records: ReturnType<typeof openRecords>
  random: Random
  options: LoadOptions
  say: (line: string) => void
  signal: AbortSignal
  nowMs: () => number
}

export const principal = { id: 'user:load', role: 'admin' } as const
const signalsPerRun = 3
const forkChance = 0.3
export const newId = () => uuidv7(Date.now(), randomBytes(10))

/** Starts runs, sends what they wait for, and follows the log; takes up what an earlier life of the process left. */
export function createLoad(parts: LoadParts): { run(): Promise<void> } {
  const { store, records, random, options, say, signal } = parts
  const { timeoutSeconds = 900 } = options
  const before = readRecords(options.recordFile)
  const open = openRuns(before)
  let started = before.filter(({ kind }) => kind === 'start').length

  const start = async (project: string) => {
    started += 1
    const workflow = planned[random.integer(0, planned.length)] ?? 'ordered'
    const value = started
    const [job, run] = [newId(), newId()]
    const submission = { jobId: job, runId: run, title: workflow, task: null, agentId: null, workflow }
    const bounds = { priority: 'medium' as const, metadata: {}, maxRetries: 0, timeoutSeconds }
    const input = inputOf(workflow, value)
    const timeMs = parts.nowMs()
    const state = newState(workflow, value)
    open.set(run, state)
    try {
      await parts.engine.submit({ ...submission, ...bounds, input, projectId: project, principal, timeMs })
    } catch (error) {
      open.delete(run)
      if (!signal.aborted) records.note({ kind: 'refused', run, code: codeOf(error), timeMs: Date.now() })
      return
    }
    records.note({ kind: 'start', run, job, workflow, value, timeMs })
    await feed(parts, run, state)
  }

  const takeOut = (run: string, type: string) => {
    const state = open.get(run)
    open.delete(run)
    if (type !== 'run.completed' || state?.workflow !== forked || options.openRuns === 0) return
    if (random.chance(forkChance)) void fork(parts, open, run, state.value)
  }

  const follow = async () => {
    const after = lastSeen(before)
    for await (const batch of store.events.follow({ after }, signal)) {
      if ('reset' in batch)
        throw new Error(`The log begins at ${batch.reset.from}, and ${after} was read before`)
      records.note({ kind: 'seen', events: batch.events.map(asSeen) })
      for (const { type, run_id } of batch.events) if (isRunEnd(type)) takeOut(run_id ?? '', type)
    }
  }

  return {
    async run() {
      const project = await projectId(store)
      const following = follow()
      say('ready')
      const fed = Promise.all([...open].map(([run, state]) => feed(parts, run, state)))
      const enough = options.maxRuns ?? Number.POSITIVE_INFINITY
      while (!signal.aborted && options.openRuns > 0 && started < enough) {
        const room = Math.min(options.openRuns - open.size, enough - started)
        for (let count = 0; count < room; count++) void start(project)
        await delay(2)
      }
      await fed
      while (!signal.aborted && open.size > 0) await delay(5)
      if (!signal.aborted) say('settled')
      await following
    },
  }
}

async function projectId(store: Store): Promise<string> {
  const found = await store.projects.byName('load')
  if (found !== undefined) return found.id
  const id = newId()
  const project = { name: 'load', description: '', projectType: 'general', timeMs: Date.now() }
  await store.write({ kind: 'create_project', id, ...project, actor: 'load' })
  return id
}

/** Takes over the first step of a run that has completed, and does the others again. */
async function fork(
  { engine, records, nowMs }: LoadParts,
  open: Map<string, OpenRun>,
  from: string,
  value: number,
): Promise<void> {
  const [jobId, runId] = [newId(), newId()]
  open.set(runId, newState(forked, value))
  const timeMs = nowMs()
  try {
    await engine.fork(from, { fromStep: forkedFrom, jobId, runId, principal, timeMs })
    records.note({ kind: 'start', run: runId, job: jobId, workflow: forked, value, timeMs })
  } catch {
    // The database is away, or the process ends: nothing was acknowledged.
    open.delete(runId)
  }
}

export type OpenRun = {
  workflow: Planned
  value: number
  /** Signals or updates that were acknowledged. */
  sent: number
  /** The update that is under way. */
  asking: string | undefined
  /** The signal that is under way: sent again as the same until it is acknowledged. */
  sending: string | undefined
  isClosing: boolean
  isCancelled: boolean
}

function newState(workflow: Planned, value: number): OpenRun {
  const underWay = { asking: undefined, sending: undefined }
  return { workflow, value, sent: 0, ...underWay, isClosing: false, isCancelled: false }
}

/** What earlier lives of the process started and did not see end, and what they sent to it. */
function openRuns(records: readonly Record[]): Map<string, OpenRun> {
  const open = new Map<string, OpenRun>()
  for (const record of records) {
    if (record.kind === 'start') {
      open.set(record.run, newState(record.workflow, record.value))
    }
    if (record.kind === 'seen') {
      for (const [, , run, type] of record.events) if (isRunEnd(type)) open.delete(run)
    }
    const run = 'run' in record ? open.get(record.run) : undefined
    if (run === undefined) continue
    if (record.kind === 'signal' && record.signal === 'add') run.sent += 1
    if (record.kind === 'sending') run.sending = record.value
    if (record.kind === 'signal') run.sending = undefined
    if (record.kind === 'sending' && record.signal === 'close') run.isClosing = true
    if (record.kind === 'cancel') run.isCancelled = true
    if (record.kind === 'asking') run.asking = record.value
    if (record.kind === 'update') run.sent += 1
    if (record.kind === 'update') run.asking = undefined
  }
  return open
}

function lastSeen(records: readonly Record[]): number {
  const last = records.findLast((record) => record.kind === 'seen')
  return last?.kind === 'seen' ? (last.events.at(-1)?.[0] ?? 0) : 0
}

function asSeen(event: Event): [number, number, string, string] {
  return [event.seq, event.run_seq ?? 0, event.run_id ?? '', event.type]
}

/** Sends a run the signals, or the cancellation, that it waits for, until it has them. */
async function feed(parts: LoadParts, run: string, state: OpenRun): Promise<void> {
  const send = sender(state)
  const isFed = send === undefined || state.isCancelled
  while (!isFed && !parts.signal.aborted) {
    try {
      return await send(parts, run, state)
    } catch (error) {
      if (codeOf(error) === 'run_ended') return
      // The database is away: whether it was taken is not known, so it is sent once more as the same.
      await delay(50)
    }
  }
}

/** What its workflow waits for. */
function sender({ workflow }: OpenRun) {
  if (signalled.includes(workflow)) return sendSignals
  if (workflow === asked) return askRun
  return workflow === 'cancelled' ? cancel : undefined
}

async function sendSignals(
  { engine, records, random }: LoadParts,
  run: string,
  state: OpenRun,
): Promise<void> {
  const send = async (signal: string) => {
    const value = state.sending ?? newId()
    if (state.sending === undefined) records.note({ kind: 'sending', run, signal, value })
    state.sending = value
    await engine.signal(run, signal, value, principal, value)
    records.note({ kind: 'signal', run, signal, value })
    state.sending = undefined
  }
  // Once a close may be on its way, what is sent after it may find the run ended.
  while (!state.isClosing && state.sent < signalsPerRun) {
    if (random.chance(0.5)) await delay(random.integer(0, 20))
    await send('add')
    state.sent += 1
  }
  state.isClosing = true
  await send('close')
}

async function cancel({ engine, records, random }: LoadParts, run: string): Promise<void> {
  await delay(random.integer(0, 60))
  await engine.cancel(run, 'as planned', principal)
  records.note({ kind: 'cancel', run })
}

function codeOf(error: unknown): string {
  return error instanceof ProblemError ? error.code : `not a problem: ${String(error)}`
}
