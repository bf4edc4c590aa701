import type { CarriedSignal, ErrorData, ParentClose } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { BudgetLimits, Principal } from '../engine.ts'
import type { RunSearch } from './search-attributes.ts'

/** What the starter, or the part before, tells beside the input. */
export type StartedWith = {
  attempt: number
  version: string
  maxRetries?: number
  part?: number
  /** Whose dice it rolls; left out: its own. */
  seed?: string
  carried?: CarriedSignal[]
  loop?: { state: Json }
  /** Left out where a history of the embedded engine is replayed: it has only what the definition asked for. */
  live?: LiveFacts
  /** The parts before were the embedded engine's, and the log has how this one begins. Only this one has it. */
  moved?: true
  /** Of a fork: what it took over. Only its first part on the cluster has it. */
  prefix?: Prefix
  /** Of a history of the embedded engine: attempts that are local activities in it, as `<command>/<attempt>`. */
  inline?: string[]
}

/** What a fork took over, as its definition is to live through it again. */
export type Prefix = {
  startedMs: number
  commands: PrefixCommand[]
  /** In the order in which the definition heard of them. */
  outcomes: PrefixOutcome[]
  /** Whether the log says that the run waits. */
  waits: boolean
}

/** Something that was asked for. What had not ended begins anew, a timer with the time that it was to fire. */
export type PrefixCommand = { command: number; kind: string; name: string; ended: boolean; fireAtMs?: number }

/** What the definition heard. `timeMs`: what its clock showed then; left out: what it showed before. */
export type PrefixOutcome = { timeMs?: number } & (
  | { kind: 'completed'; command: number; output: Json }
  | { kind: 'failed'; command: number; attempt: number; error: ErrorData }
  | { kind: 'fired'; command: number }
  | ({ kind: 'signal' } & CarriedSignal)
)

/** What a run on a cluster knows of itself. */
export type LiveFacts = {
  principal: Principal
  priority: number
  /** What the tokens of its waitpoints are made with, as hex; `keyId` tells of which key it was made. */
  secret: string
  keyId: string
  /** How many runs stand above it. */
  depth: number
  /** The hash of its definition. */
  definition: string
  /** Limits that were set before, and what was used of them. */
  limits?: BudgetLimits
  used?: { tokens: number; costUsd: number }
  /** Of a later part: for how long attempts ran in those before it. */
  activeMs?: number
  /** Of a later part: who paused the run, which still is. */
  paused?: { by: string }
  /** Of a later part: why the run was asked to end, and by whom. */
  cancelReason?: string
  cancelActor?: string
  /** Set where nothing is encrypted: what its errors say is readable on the cluster. */
  isOpen?: boolean
  /** What of it the cluster may show; left out: nothing. */
  search?: RunSearch
}

/** The second argument of an activity: which attempt of which step it is. */
export type StepMeta = {
  run_id: string
  workflow: string
  step: string
  key: string
  command: number
  attempt: number
  max_attempts: number
  /** How often this attempt was cut off by the death of its worker. */
  cuts: number
  /** How often no worker had an implementation. */
  missing: number
  principal: Principal
  start_to_close_ms: number
  heartbeat_ms?: number
  mode?: 'inline'
  /** Of a local activity: its worker may have died in it before. */
  doubtful?: true
  queue?: string
  concurrency_key?: string
  priority?: number
}

/** What a child is told beside its input; its row is made of it. */
export type ChildMeta = {
  key: string
  command: number
  parent_close: ParentClose
  definition: string
}

/** The second argument of a signal or an update. */
export type MessageMeta = { actor?: string; signal_id?: string; inbox_id?: number }

/** Facts of which Temporal has no event of its own: kept as the memo `kyros`, whose changes are in the history. */
export type Note =
  | { kind: 'waitpoint'; command: number; name: string; title?: string; expires_at?: string }
  | { kind: 'waitpoint_cancelled'; command: number; name: string }
  | { kind: 'attributes'; command: number; attributes: { [name: string]: string | number | boolean } }
  | { kind: 'conditions'; count: number }
  | { kind: 'held'; detail: string }
  /** A failed attempt is followed by another, which cannot begin yet. */
  | { kind: 'retry'; command: number }
  /** The run ends, or goes on in a new part, while this attempt is under way as a local activity. */
  | { kind: 'inline'; input: Json; meta: StepMeta }
  /** The time of the whole step was over before its next attempt. */
  | { kind: 'step_late'; step: string; key: string; command: number; attempt: number; message: string }

export const noteKey = 'kyros'

/** What timers are for, as their summary says it: `<name> <command>`. */
export type TimerName = 'sleep' | 'condition' | 'scope' | 'expiry' | 'retry' | 'missing' | 'budget'
export const timerSummary = (name: TimerName, command: number) => `${name} ${command}`

export const signals = {
  pause: 'kyros.pause',
  resume: 'kyros.resume',
  budget: 'kyros.budget',
  usage: 'kyros.usage',
  waitpoint: 'kyros.waitpoint',
  /** Why the cancellation comes that follows it. */
  cancel: 'kyros.cancel',
} as const

/** The query that every run answers: which signals its definition listens for. */
export const waitsQuery = 'kyros.waits'

/** Types of failures by which a worker says that an attempt did not fail, and is to begin again. */
export const cutOff = 'kyros.cut_off'
export const workerMissing = 'kyros.worker_missing'
/** The same of one that has not begun as a local activity, and is to be an ordinary one. */
export const elsewhere = 'kyros.elsewhere'

/** The core keeps a workflow task open for 8 seconds; what is local in it must have ended before. */
export const inlineLimits = {
  /** An inline step with a longer limit is an ordinary activity. */
  longestMs: 5000,
  /** How long an attempt may wait for its slot. */
  slotWaitMs: 200,
  /** How long one that was told to stop may take. */
  abortGraceMs: 500,
  /** What an attempt may take beside its limit. */
  marginMs: 750,
  /** Later than that, the core ends it; the worker has done so before. */
  coreMarginMs: 1500,
  /** What the attempts of one workflow task may take together. */
  taskMs: 7000,
} as const

/** The type of the failure that a child ends with which was cancelled: only so its parent hears why. */
export const cancelledType = 'kyros.cancelled'
export const parentEnded = 'The run that it was a part of does not want it any more.'

/** What a bundle holds besides: a child of each of these can be started. */
export type BundledVersions = { readonly [workflow: string]: { version: string; hash: string } }

/** A step that ends its worker is tried again; so often before that is a failed attempt like any other. */
export const maxCuts = 4
