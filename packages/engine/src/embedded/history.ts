import {
  type Event,
  type ForkOrigin,
  isRunEvent,
  type ParentLink,
  type RunEvent,
} from '@kyros/contract/event'
import type { NewRunEvent } from '@kyros/store/command'
import { hasValueInBlob, withValues } from '@kyros/store/event-payloads'
import type { PastEvent, Store } from '@kyros/store/store'
import { fromStored, StoredValueLost } from '@kyros/store/stored-value'
import { type AsksHistory, foldAsks, parentIn } from './asks-history.ts'
import { Activity } from './operations/activity.ts'
import { type ControlHistory, foldControl } from './operations/run-control.ts'
import { recordedCommand } from './workflow-command.ts'
import type { Recorded } from './workflow-host.ts'

/** What the log says of one step or timer. */
export type StepHistory = {
  command: number
  step: string
  key: string
  maxAttempts: number
  attempt: number
  /** How often an attempt of it began again under its number, because the engine had died. */
  cuts: number
  state: 'scheduled' | 'running' | 'backoff' | 'ended'
  retryAtMs: number | undefined
  scheduledMs: number
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
  /** A fork that has not begun: what it takes over is in its log, and it waits for a place among the runs of its workflow. */
  awaitsPlace: boolean
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
  /** Of the last signals that had an id of their own. */
  signalIds: Set<string>
  /** What people and limits did to it; undefined when nothing. */
  control: ControlHistory | undefined
  /** In how much time attempts ran. */
  activity: Activity
  /** What it asked of the outside and was asked; undefined when nothing. */
  asks: AsksHistory | undefined
  /** The bundle it runs, where that is another than it began with. */
  bundle: { definition: string; version: string } | undefined
  /** How often it has continued as new. */
  part: number
  /** Whose child it is. */
  parent: ParentLink | undefined
  /** Of a fork: the run that made what it took over. */
  origin: ForkOrigin | undefined
  /** The trace of the request that asked for it. */
  traceparent: string | undefined
  /** Why it cannot be replayed: a value that it refers to is lost. The references stand in the events then. */
  fault: string | undefined
}

// Most runs are begun with nothing recorded: they share these, which are never written to.
const noRecorded: History['recorded'] = new Map()
const noSteps: History['steps'] = new Map()
const noTimers: History['timers'] = new Map()
const noInboxIds: History['inboxIds'] = new Set()
const noSignalIds: History['signalIds'] = new Set()
const maxSignalIds = 10_000

export function emptyHistory(): History {
  return {
    events: [],
    runSeq: 0,
    lastMs: 0,
    startedMs: undefined,
    awaitsPlace: false,
    startAtMs: undefined,
    ended: false,
    cancelReason: undefined,
    recorded: noRecorded,
    steps: noSteps,
    timers: noTimers,
    shown: undefined,
    inboxIds: noInboxIds,
    signalIds: noSignalIds,
    control: undefined,
    activity: new Activity(),
    asks: undefined,
    bundle: undefined,
    part: 0,
    parent: undefined,
    origin: undefined,
    traceparent: undefined,
    fault: undefined,
  }
}

/** @throws StoredValueLost */
export async function readHistory(store: Store, runId: string): Promise<History> {
  return historyFrom((await store.events.ofRun(runId)).flatMap(asPastEvent), store)
}

/**
 * Folds the stored events of a run, in order; values that are kept beside the log are read where a replay needs them.
 * @throws StoredValueLost
 */
export async function historyFrom(
  events: readonly PastEvent[],
  store: Pick<Store, 'blobs'>,
): Promise<History> {
  const history = emptyHistory()
  for (const event of events) {
    addEvent(history, needsBlob(event) ? await withPayloads(event, store) : event)
    history.runSeq = event.run_seq
  }
  return history
}

/** The same at once; undefined when a payload has to be read for it. */
export function historyAtHand(events: readonly PastEvent[]): History | undefined {
  return events.some(needsBlob) ? undefined : historyAsItStands(events)
}

function historyAsItStands(events: readonly PastEvent[]): History {
  const history = emptyHistory()
  for (const event of events) addEvent(history, event)
  history.runSeq = events.at(-1)?.run_seq ?? 0
  return history
}

/** The history where it can be read, or what is known without the values that are lost, with its `fault`. */
export async function historyOrFault(
  events: readonly PastEvent[],
  store: Pick<Store, 'blobs'>,
): Promise<History> {
  try {
    return await historyFrom(events, store)
  } catch (error) {
    if (!(error instanceof StoredValueLost)) throw error
    return { ...historyAsItStands(events), fault: `Its history cannot be read: ${error.message}` }
  }
}

function asPastEvent(event: Event): PastEvent[] {
  if (!isRunEvent(event)) return []
  const { run_seq, actor } = event
  return [{ ...asNewEvent(event), run_seq, ...(actor !== undefined && { actor }) }]
}

/** A stored event as it was when it was new. */
export function asNewEvent(event: RunEvent): NewRunEvent {
  // Border cast: type and data belong together in a RunEvent, which the compiler loses when they are taken apart.
  return { type: event.type, timeMs: Date.parse(event.time), data: event.data } as NewRunEvent
}

/** What went into the run and its steps is not shown to the definition again. */
function needsBlob(event: NewRunEvent): boolean {
  const { type } = event
  return (
    type !== 'step.scheduled' && type !== 'run.created' && type !== 'run.completed' && hasValueInBlob(event)
  )
}

/** The event with its payloads in place of references to them. @throws StoredValueLost */
export function withPayloads<E extends NewRunEvent | RunEvent>(
  event: E,
  { blobs }: Pick<Store, 'blobs'>,
): Promise<E> {
  return withValues(event, (stored) => fromStored(stored, blobs))
}

/** Folds one event, in order. */
export function addEvent(history: History, event: NewRunEvent): void {
  if (event.type === 'run.continued') beginPart(history, event)
  history.events.push(event)
  history.control = foldControl(history.control, event, event.actor)
  history.asks = foldAsks(history.asks, event)
  history.parent ??= parentIn(event)
  history.origin ??= originIn(event)
  history.traceparent ??= traceIn(event)
  history.activity.fold(event)
  history.lastMs = Math.max(history.lastMs, event.timeMs)
  addToRun(history, event)
  addToSteps(history, event)
}

/** The run that made what a fork took over, from the event that says so; undefined for all other events. */
export function originIn(event: NewRunEvent | RunEvent): ForkOrigin | undefined {
  if (event.type === 'run.forked') return event.data.origin
  return event.type === 'run.continued' ? event.data.before?.origin : undefined
}

function traceIn(event: NewRunEvent | RunEvent): string | undefined {
  if (event.type === 'run.created') return event.data.traceparent
  return event.type === 'run.continued' ? event.data.before?.traceparent : undefined
}

/** The same for a whole history. */
export function originOf(events: readonly (NewRunEvent | RunEvent)[]): ForkOrigin | undefined {
  for (const event of events) {
    const origin = originIn(event)
    if (origin !== undefined) return origin
  }
  return undefined
}

/** Replay starts here: of what was before, only what outlives a part is kept. */
function beginPart(history: History, event: Extract<NewRunEvent, { type: 'run.continued' }>): void {
  const { definition, version, before } = event.data
  history.events = []
  history.recorded = noRecorded
  history.steps = noSteps
  history.timers = noTimers
  history.shown = undefined
  history.bundle = { definition, version }
  history.part = event.data.part ?? history.part + 1
  // What the parts before asked for has ended with them.
  if (history.asks !== undefined) {
    history.asks.waitpoints.clear()
    history.asks.children.clear()
  }
  history.startedMs ??= before?.started_ms ?? event.timeMs
  history.inboxIds = new Set([...history.inboxIds, ...(before?.inbox_ids ?? [])])
  if (before?.signal_ids !== undefined) history.signalIds = new Set(before.signal_ids)
  // Border cast: only `LiveRun` writes it, with what this field held.
  if (before?.control !== undefined) history.control = before.control as ControlHistory
}

function addToRun(history: History, event: NewRunEvent): void {
  switch (event.type) {
    case 'run.forked':
      // Its time begins here, and not with what it takes over.
      history.startedMs = event.timeMs
      return
    case 'run.started':
      history.startedMs ??= event.timeMs
      history.shown = undefined
      return
    case 'run.waiting':
      history.shown = event.data
      if (event.data.reason === 'concurrency' && history.startedMs !== undefined) {
        history.awaitsPlace = true
        history.startedMs = undefined
      }
      if (history.startedMs === undefined) history.startAtMs = startOf(event.data) ?? history.startAtMs
      return
    case 'run.resumed':
      history.shown = undefined
      if (history.awaitsPlace) history.startedMs = event.timeMs
      history.awaitsPlace = false
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
    case 'run.upgraded':
      history.bundle = { definition: event.data.definition, version: event.data.version }
      return
    case 'run.pause_requested':
    case 'run.resume_requested':
    case 'run.budget_set':
    case 'budget.used':
    case 'waitpoint.completed':
    case 'update.accepted':
      addInboxId(history, event.data.inbox_id)
      return
    case 'signal.received':
      addInboxId(history, event.data.inbox_id)
      if (event.data.signal_id === undefined) return
      if (history.signalIds === noSignalIds) history.signalIds = new Set()
      addSignalId(history.signalIds, event.data.signal_id)
      return
    default:
  }
}

function addInboxId(history: History, inboxId: number | undefined): void {
  if (inboxId === undefined) return
  if (history.inboxIds === noInboxIds) history.inboxIds = new Set()
  history.inboxIds.add(inboxId)
}

/** In place of the oldest where there are too many. */
export function addSignalId(signalIds: Set<string>, signalId: string): void {
  signalIds.add(signalId)
  if (signalIds.size <= maxSignalIds) return
  for (const oldest of signalIds) {
    signalIds.delete(oldest)
    return
  }
}

function startOf({ reason, until }: Shown): number | undefined {
  return reason === 'timer' && until !== undefined ? Date.parse(until) : undefined
}

function addToSteps(history: History, event: NewRunEvent): void {
  const recorded = recordedCommand(event)
  if (recorded !== undefined) record(history, recorded)
  switch (event.type) {
    case 'step.scheduled': {
      const { command, step, key, max_attempts: maxAttempts } = event.data
      const fresh = {
        attempt: 0,
        cuts: 0,
        state: 'scheduled' as const,
        retryAtMs: undefined,
        scheduledMs: event.timeMs,
      }
      if (history.steps === noSteps) history.steps = new Map()
      history.steps.set(command, { command, step, key, maxAttempts, ...fresh })
      return
    }
    case 'step.started': {
      const { command, attempt } = event.data
      const known = history.steps.get(command)
      const cuts = (known?.cuts ?? 0) + (known?.state === 'running' && known.attempt === attempt ? 1 : 0)
      setStep(history, command, { state: 'running', attempt, cuts, retryAtMs: undefined })
      return
    }
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

function record(history: History, { command, kind, name }: Recorded & { command: number }): void {
  if (history.recorded === noRecorded) history.recorded = new Map()
  history.recorded.set(command, { kind, name })
}

function setStep(history: History, command: number, change: Partial<StepHistory>): void {
  const step = history.steps.get(command)
  if (step !== undefined) Object.assign(step, change)
}
