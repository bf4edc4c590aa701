import type { Attributes, CarriedSignal, ErrorData, ParentClose } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { ResolvedStepOptions } from './retry-policy.ts'

export type TimerName = 'sleep' | 'condition' | 'scope'

/** What the definition asks for and what the history must know by the same number, kind and name. */
export type NumberedCommand =
  | { kind: 'step'; command: number; step: string; key: string; input: Json; options: ResolvedStepOptions }
  | { kind: 'timer'; command: number; name: TimerName; durationMs: number }
  | {
      kind: 'waitpoint'
      command: number
      name: string
      title: string | undefined
      timeoutMs: number | undefined
    }
  | {
      kind: 'child'
      command: number
      workflow: string
      key: string
      input: Json
      parentClose: ParentClose
      timeoutSeconds: number
    }
  /** Recorded at once; nobody waits for these two. */
  | { kind: 'value'; command: number; name: string; value: Json }
  | { kind: 'attributes'; command: number; attributes: Attributes }

/** What the definition asks for. Numbers count from 1 in the order of asking. */
export type Command =
  | NumberedCommand
  /** `runEnded`: the definition did not cancel it, but ended without it. */
  | {
      kind: 'cancel_step' | 'cancel_timer' | 'cancel_waitpoint' | 'cancel_child'
      command: number
      runEnded?: true
    }
  /** How an accepted update came out; `stored`: its result as the log keeps it. In a replay it is asked for again: what the history holds is not recorded twice. */
  | { kind: 'update_result'; update: string; updateId: string; end: UpdateEnd; stored?: Json }

export type UpdateEnd = { kind: 'completed'; result: Json } | { kind: 'failed'; error: ErrorData }

export type CommandKind = NumberedCommand['kind']
/** Kinds that somebody waits for. */
export type WaitKind = 'step' | 'timer' | 'waitpoint' | 'child'

/** A command as the history holds it. */
export type Recorded = { kind: CommandKind; name: string }

/** How the definition's promise ended; `blocked` is a bug in the definition, not an end of the run. */
export type Outcome =
  /** `stored`: as the log keeps it, once that is known to be another than the result itself. */
  | { kind: 'completed'; result: Json; stored?: Json }
  | { kind: 'failed'; reason: 'workflow_failed' | 'step_failed' | 'child_failed'; error: ErrorData }
  | { kind: 'cancelled' }
  | { kind: 'blocked'; detail: string }

/** This part of the run is over and the next begins with this. */
export type Continuation = {
  input: Json
  /** Number of the next part: 1 for the first that continues. */
  part: number
  /** The state of `loop`, which goes on with it. */
  loop?: { state: Json }
  /** On the newest definition instead of the same. */
  upgrade: boolean
  carried: CarriedSignal[]
}

/** The command that an event records the beginning of; undefined for all other events. */
export function recordedCommand(event: NewRunEvent): (Recorded & { command: number }) | undefined {
  switch (event.type) {
    case 'step.scheduled':
      return { kind: 'step', name: event.data.step, command: event.data.command }
    case 'timer.started':
      return { kind: 'timer', name: event.data.timer, command: event.data.command }
    case 'waitpoint.created':
      return { kind: 'waitpoint', name: event.data.waitpoint, command: event.data.command }
    case 'child.started':
      return { kind: 'child', name: event.data.child, command: event.data.command }
    case 'value.recorded':
      return { kind: 'value', name: event.data.name, command: event.data.command }
    case 'attributes.set':
      return { kind: 'attributes', name: attributesName, command: event.data.command }
    default:
      return undefined
  }
}

/** All setting of attributes is one thing: their names may depend on data. */
export const attributesName = 'attributes'

/** The first command that is not the recorded one; nothing was asked for where the definition did less. */
export type Divergence = { command: number; recorded: Recorded; asked: Recorded | undefined }

export function divergenceText({ command, recorded, asked }: Divergence): string {
  const code = asked === undefined ? 'nothing' : `${asked.kind} ${asked.name}`
  const sides = `the history holds ${recorded.kind} ${recorded.name}, the definition asks for ${code}`
  return `Command ${command}: ${sides}. The definition is not the one that this run began with, or it is not repeatable.`
}
