import type { ParentClose, RunBefore } from '@kyros/contract/event'
import type { NewRunEvent } from '@kyros/store/command'
import type { History } from '../history.ts'
import { currentPart } from './scratch-replay.ts'

/**
 * What a run that is forked from step `fromStep` takes over: all that was recorded before the step was scheduled, in
 * order and with its times. Of what was under way then only the asking is kept, so that it begins anew. Undefined when
 * the run never came to that step.
 */
export function forkPrefix(events: readonly NewRunEvent[], fromStep: string): NewRunEvent[] | undefined {
  const cut = events.findLastIndex((event) => event.type === 'step.scheduled' && event.data.key === fromStep)
  if (cut === -1) return undefined
  const before = events.slice(0, cut)
  const part = currentPart(before)
  const ended = endedCommands(part)
  const started = before.find((event) => event.type === 'run.started')
  const kept = part.flatMap((event) => (event.type === 'run.started' ? [] : keep(event, ended)))
  return started === undefined ? kept : [started, ...kept]
}

/** What a run says of what is under way by its log, when it ends without having taken that up. */
export function endsOfOpen({ steps, timers, asks }: History): Pick<NewRunEvent, 'type' | 'data'>[] {
  const ends: Pick<NewRunEvent, 'type' | 'data'>[] = []
  const run_ended = true
  for (const { step, key, command, attempt, state } of steps.values()) {
    if (state !== 'ended')
      ends.push({ type: 'step.cancelled', data: { step, key, command, attempt, run_ended } })
  }
  for (const { name: timer, command, ended } of timers.values()) {
    if (!ended) ends.push({ type: 'timer.cancelled', data: { timer, command, run_ended } })
  }
  for (const [command, { name: waitpoint, state }] of asks?.waitpoints ?? []) {
    if (state === 'open') ends.push({ type: 'waitpoint.cancelled', data: { waitpoint, command, run_ended } })
  }
  for (const [command, { workflow: child, runId: run_id, state }] of asks?.children ?? []) {
    if (state === 'open') ends.push({ type: 'child.cancelled', data: { child, command, run_id, run_ended } })
  }
  return ends
}

/** Children that such a run has, or that were perhaps not told yet that it does not want them any more. */
export function unwantedChildren({ asks }: History): Map<string, ParentClose> {
  const unwanted = new Map((asks?.leaving ?? []).map(({ run_id, parent_close }) => [run_id, parent_close]))
  for (const { runId, parentClose, state } of asks?.children.values() ?? []) {
    if (state !== 'ended') unwanted.set(runId, parentClose)
  }
  return unwanted
}

/** Keys of the steps that a fork may begin from, in the order in which they were scheduled. */
export function stepKeys(events: readonly NewRunEvent[]): string[] {
  return [...new Set(events.flatMap((event) => (event.type === 'step.scheduled' ? [event.data.key] : [])))]
}

function endedCommands(events: readonly NewRunEvent[]): Set<number> {
  const ended = new Set<number>()
  for (const event of events) {
    switch (event.type) {
      case 'step.failed':
        if (event.data.retry_at === undefined) ended.add(event.data.command)
        break
      case 'step.completed':
      case 'step.cancelled':
      case 'timer.fired':
      case 'timer.cancelled':
      case 'waitpoint.completed':
      case 'waitpoint.expired':
      case 'waitpoint.cancelled':
      case 'child.completed':
      case 'child.failed':
      case 'child.cancelled':
        ended.add(event.data.command)
        break
      default:
    }
  }
  return ended
}

function keep(event: NewRunEvent, ended: ReadonlySet<number>): NewRunEvent[] {
  switch (event.type) {
    // What happened to the other run and not in it.
    case 'run.created':
    case 'run.waiting':
    case 'run.resumed':
    case 'run.pause_requested':
    case 'run.resume_requested':
    case 'run.upgraded':
    case 'run.forked':
    case 'budget.used':
      return []
    case 'step.started':
    case 'step.failed':
      return ended.has(event.data.command) ? [event] : []
    // Its run belongs to the other one: this one gets its own.
    case 'child.started':
      return ended.has(event.data.command) ? [event] : []
    case 'run.continued':
      return [withoutOther(event)]
    case 'run.budget_set':
    case 'signal.received':
    case 'waitpoint.completed':
    case 'update.accepted':
      return [withoutInboxId(event)]
    default:
      return [event]
  }
}

/**
 * A part of a fork has nobody above or below it and no messages of its own: of what outlived the parts before it the
 * fork has the limits alone, as it has those that were set in the part itself. Its engine is its own, too.
 */
function withoutOther(event: Extract<NewRunEvent, { type: 'run.continued' }>): NewRunEvent {
  const { engine, ...data } = event.data
  const { before } = data
  if (before === undefined) return engine === undefined ? event : { ...event, data }
  const { started_ms, active_ms } = before
  const own = { started_ms, active_ms, inbox_ids: [], ...limitsOf(before) }
  return { ...event, data: { ...data, before: own } }
}

function limitsOf({ control }: RunBefore): Pick<RunBefore, 'control'> {
  const isObject = typeof control === 'object' && control !== null && !Array.isArray(control)
  if (!isObject || control.limits === undefined) return {}
  return { control: { pausedMs: 0, limits: control.limits, tokens: 0, costUsd: 0 } }
}

/** The message was taken by the other run. */
function withoutInboxId(event: NewRunEvent): NewRunEvent {
  if (!('inbox_id' in event.data)) return event
  const { inbox_id: _, ...data } = event.data
  // The same event with one optional field less.
  return { ...event, data } as NewRunEvent
}
