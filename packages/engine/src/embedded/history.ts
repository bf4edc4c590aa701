import { type Event, isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import { Activity } from './operations/activity.ts'
import { type ControlHistory, foldControl } from './operations/run-control.ts'
import type { Recorded } from './workflow-host.ts'

/** What the log says of one step or timer. */
export type StepHistory = {
  command: number
  step: string
  key: string
  maxAttempts: number
  attempt: number
  state: 'scheduled' | 'running' | 'backoff' | 'ended'
  retryAtMs: number | undefined
}
export type TimerHistory = { command: number; name: string; fireAtMs: number; ended: boolean }
export type Shown = { reason: string; detail?: string; until?: string }

/** The log of one run, read once: everything that recovery needs to go on from it. */
export type History = {
  /** Payloads are resolved: no blob references. */
  events: NewRunEvent[]
  runSeq: number
  lastMs: number
  startedMs: number | undefined
  /** When it is to begin, while it has not. */
  startAtMs: number | undefined
  ended: boolean
  /** Set once a cancellation was asked for. */
  cancelReason: string | undefined
  recorded: Map<number, Recorded>
  steps: Map<number, StepHistory>
  timers: Map<number, TimerHistory>
  /** The last `run.waiting`, unless the run was resumed since. */
  shown: Shown | undefined
  /** Inbox messages whose effect is in the log. */
  inboxIds: Set<number>
  /** What people and limits did to it; undefined when nothing. */
  control: ControlHistory | undefined
  /** In how much time attempts ran. */
  activity: Activity
}

// Most runs are begun with nothing recorded: they share these, which are never written to.
const noRecorded: History['recorded'] = new Map()
const noSteps: History['steps'] = new Map()
const noTimers: History['timers'] = new Map()
const noInboxIds: History['inboxIds'] = new Set()

export function emptyHistory(): History {
  return {
    events: [],
    runSeq: 0,
    lastMs: 0,
    startedMs: undefined,
    startAtMs: undefined,
    ended: false,
    cancelReason: undefined,
    recorded: noRecorded,
    steps: noSteps,
    timers: noTimers,
    shown: undefined,
    inboxIds: noInboxIds,
    control: undefined,
    activity: new Activity(),
  }
}

export async function readHistory(store: Store, runId: string): Promise<History> {
  return historyFrom(await store.events.ofRun(runId), store)
}

/** Folds the stored events of a run, in order; payloads that are kept beside the log are read. */
export async function historyFrom(events: readonly Event[], store: Pick<Store, 'blobs'>): Promise<History> {
  const history = emptyHistory()
  for (const event of events) {
    if (!isRunEvent(event)) continue
    const fresh = asNewEvent(event)
    addEvent(history, isInBlob(fresh) ? await resolved(fresh, store) : fresh, event.actor)
    history.runSeq = event.run_seq
  }
  return history
}

/** A stored event as it was when it was new. */
export function asNewEvent(event: RunEvent): NewRunEvent {
  // Border cast: type and data belong together in a RunEvent, which the compiler loses when they are taken apart.
  return { type: event.type, timeMs: Date.parse(event.time), data: event.data } as NewRunEvent
}

function isInBlob(event: NewRunEvent): boolean {
  if (event.type !== 'step.completed') return false
  const { output } = event.data
  return typeof output === 'object' && output !== null && '$blob' in output
}

async function resolved(event: NewRunEvent, store: Pick<Store, 'blobs'>): Promise<NewRunEvent> {
  if (event.type !== 'step.completed') return event
  return { ...event, data: { ...event.data, output: await fromStored(event.data.output, store.blobs) } }
}

/** Folds one event, in order. */
export function addEvent(history: History, event: NewRunEvent, actor?: string): void {
  history.events.push(event)
  history.control = foldControl(history.control, event, actor)
  history.activity.fold(event)
  history.lastMs = Math.max(history.lastMs, event.timeMs)
  addToRun(history, event)
  addToSteps(history, event)
}

function addToRun(history: History, event: NewRunEvent): void {
  switch (event.type) {
    case 'run.started':
      history.startedMs ??= event.timeMs
      history.shown = undefined
      return
    case 'run.waiting':
      history.shown = event.data
      if (history.startedMs === undefined) history.startAtMs = startOf(event.data) ?? history.startAtMs
      return
    case 'run.resumed':
      history.shown = undefined
      return
    case 'run.cancel_requested':
      history.cancelReason = event.data.reason
      return
    case 'run.completed':
    case 'run.failed':
    case 'run.cancelled':
    case 'run.timed_out':
      history.ended = true
      return
    case 'run.pause_requested':
    case 'run.resume_requested':
    case 'run.budget_set':
    case 'budget.used':
    case 'signal.received':
      if (event.data.inbox_id === undefined) return
      if (history.inboxIds === noInboxIds) history.inboxIds = new Set()
      history.inboxIds.add(event.data.inbox_id)
      return
    default:
  }
}

function startOf({ reason, until }: Shown): number | undefined {
  return reason === 'timer' && until !== undefined ? Date.parse(until) : undefined
}

function addToSteps(history: History, event: NewRunEvent): void {
  switch (event.type) {
    case 'step.scheduled': {
      const { command, step, key, max_attempts: maxAttempts } = event.data
      record(history, command, { kind: 'step', name: step })
      const fresh = { attempt: 0, state: 'scheduled' as const, retryAtMs: undefined }
      if (history.steps === noSteps) history.steps = new Map()
      history.steps.set(command, { command, step, key, maxAttempts, ...fresh })
      return
    }
    case 'step.started':
      setStep(history, event.data.command, {
        state: 'running',
        attempt: event.data.attempt,
        retryAtMs: undefined,
      })
      return
    case 'step.failed': {
      const retryAtMs = event.data.retry_at === undefined ? undefined : Date.parse(event.data.retry_at)
      const state = retryAtMs === undefined ? 'ended' : 'backoff'
      setStep(history, event.data.command, { state, retryAtMs })
      return
    }
    case 'step.completed':
    case 'step.cancelled':
      setStep(history, event.data.command, { state: 'ended' })
      return
    case 'timer.started': {
      const { command, timer: name, fire_at } = event.data
      record(history, command, { kind: 'timer', name })
      if (history.timers === noTimers) history.timers = new Map()
      history.timers.set(command, { command, name, fireAtMs: Date.parse(fire_at), ended: false })
      return
    }
    case 'timer.fired':
    case 'timer.cancelled': {
      const timer = history.timers.get(event.data.command)
      if (timer !== undefined) timer.ended = true
      return
    }
    default:
  }
}

function record(history: History, command: number, recorded: Recorded): void {
  if (history.recorded === noRecorded) history.recorded = new Map()
  history.recorded.set(command, recorded)
}

function setStep(history: History, command: number, change: Partial<StepHistory>): void {
  const step = history.steps.get(command)
  if (step !== undefined) Object.assign(step, change)
}
