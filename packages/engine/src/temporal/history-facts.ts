import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { ChildMeta, MessageMeta, Note, StartedWith, StepMeta } from './start-facts.ts'

/** How an activity or a child ended. */
export type Ending =
  | { kind: 'completed'; result: Json }
  | { kind: 'failed'; error: ErrorData }
  /** The worker died, or said that it stops: the attempt begins again. */
  | { kind: 'cut' }
  | { kind: 'missing' }

/** `elsewhere`: it has not begun, and is asked for again as an ordinary activity. */
export type InlineEnding = Ending | { kind: 'cancelled' } | { kind: 'elsewhere' }

/** What one event of a Temporal history says, as far as the log of a run is concerned. Ids are those of its events. */
export type Fact =
  | { kind: 'started'; input: Json; started: StartedWith }
  /** `goesOn`: at once with the end of the task before, by the same worker. */
  | { kind: 'task_started'; goesOn?: true }
  | { kind: 'task_completed' }
  | { kind: 'task_failed'; message: string }
  | { kind: 'step_scheduled'; input: Json; meta: StepMeta }
  | { kind: 'step_ended'; scheduledId: number; ending: Ending }
  | { kind: 'step_cancelled'; scheduledId: number }
  /** An attempt as a local activity: only its end is in the history. */
  | {
      kind: 'step_inline'
      input: Json
      meta: StepMeta
      startedMs: number
      endedMs: number
      ending: InlineEnding
    }
  | { kind: 'timer_started'; name: string; command: number; fireAtMs: number }
  | { kind: 'timer_fired'; startedId: number }
  | { kind: 'timer_cancelled'; startedId: number }
  | { kind: 'signaled'; signal: string; payload: Json; meta: MessageMeta }
  | { kind: 'cancel_requested'; reason: string; actor: string | undefined }
  | { kind: 'noted'; note: Note }
  | { kind: 'patched'; id: string }
  | {
      kind: 'child_asked'
      runId: string
      workflow: string
      input: Json
      timeoutSeconds: number
      /** The trace that its parent belongs to. */
      traceparent?: string | undefined
      meta: ChildMeta
      started: StartedWith
    }
  | { kind: 'child_ended'; initiatedId: number; ending: Ending }
  | { kind: 'child_cancelled'; runId: string }
  | { kind: 'update_accepted'; update: string; updateId: string; payload: Json; meta: MessageMeta }
  | { kind: 'update_ended'; acceptedId: number; ending: Ending }
  /** `to` is looked up by whoever knows what the build holds. */
  | { kind: 'moved'; buildId: string; to?: { definition: string; version: string } }
  | { kind: 'completed'; result: Json }
  | { kind: 'failed'; reason: string; error: ErrorData }
  | { kind: 'cancelled' }
  | { kind: 'timed_out' }
  | { kind: 'terminated'; reason: string }
  | { kind: 'continued'; newRunId: string }
  | { kind: 'other' }

/** An event of a history with what it says. `taskId`: of the workflow task that gave the command. */
export type HistoryFact = { id: number; timeMs: number; taskId: number | undefined; fact: Fact }

/** What the log says of the run before its history is read. */
export type KnownBefore = {
  definition: string
  timeoutSeconds: number
}

/** A child whose row must be there before the event that names it. */
export type NewChild = Extract<Fact, { kind: 'child_asked' }>
