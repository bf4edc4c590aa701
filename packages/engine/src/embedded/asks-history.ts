import type { ParentClose, ParentLink, RunBefore } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { UpdateEnd } from './workflow-command.ts'

export type WaitpointHistory = {
  readonly name: string
  readonly title: string | undefined
  readonly expiresAtMs: number | undefined
  state: 'open' | 'completed' | 'expired' | 'cancelled'
  payload: Json
}

export type ChildHistory = {
  readonly workflow: string
  readonly runId: string
  readonly parentClose: ParentClose
  state: 'open' | 'ended' | 'cancelled'
}

/** What the log says of what a run asked of the outside, and of what it was asked. */
export type AsksHistory = {
  /** By command. */
  readonly waitpoints: Map<number, WaitpointHistory>
  readonly children: Map<number, ChildHistory>
  /** Updates by the id that their senders gave; undefined while not answered. */
  readonly updates: Map<string, UpdateEnd | undefined>
  /** Children that an earlier part began, and that were perhaps not told that they are not wanted any more. */
  leaving: NonNullable<RunBefore['leaving']>
}

/** Folds one event, in order; the same object when the event is about something else. */
export function foldAsks(before: AsksHistory | undefined, event: NewRunEvent): AsksHistory | undefined {
  switch (event.type) {
    case 'waitpoint.created':
    case 'child.started':
    case 'update.accepted': {
      const asks = before ?? noAsks()
      begin(asks, event)
      return asks
    }
    case 'run.continued': {
      const { leaving } = event.data.before ?? {}
      return leaving === undefined ? before : { ...(before ?? noAsks()), leaving }
    }
    case 'waitpoint.completed':
      return setWaitpoint(before, event.data.command, 'completed', event.data.payload)
    case 'waitpoint.expired':
      return setWaitpoint(before, event.data.command, 'expired')
    case 'waitpoint.cancelled':
      return setWaitpoint(before, event.data.command, 'cancelled')
    case 'child.completed':
    case 'child.failed':
      return setChild(before, event.data.command, 'ended')
    case 'child.cancelled':
      return setChild(before, event.data.command, 'cancelled')
    case 'update.completed':
      before?.updates.set(event.data.update_id, { kind: 'completed', result: event.data.result })
      return before
    case 'update.failed':
      before?.updates.set(event.data.update_id, { kind: 'failed', error: event.data.error })
      return before
    default:
      return before
  }
}

function noAsks(): AsksHistory {
  return { waitpoints: new Map(), children: new Map(), updates: new Map(), leaving: [] }
}

type Begun = Extract<NewRunEvent, { type: 'waitpoint.created' | 'child.started' | 'update.accepted' }>

function begin(asks: AsksHistory, event: Begun): void {
  switch (event.type) {
    case 'waitpoint.created': {
      const { waitpoint: name, command, title, expires_at } = event.data
      const expiresAtMs = expires_at === undefined ? undefined : Date.parse(expires_at)
      asks.waitpoints.set(command, { name, title, expiresAtMs, state: 'open', payload: null })
      return
    }
    case 'child.started': {
      const { child: workflow, command, run_id: runId, parent_close: parentClose } = event.data
      asks.children.set(command, { workflow, runId, parentClose, state: 'open' })
      return
    }
    case 'update.accepted':
      asks.updates.set(event.data.update_id, undefined)
  }
}

function setWaitpoint(
  asks: AsksHistory | undefined,
  command: number,
  state: WaitpointHistory['state'],
  payload: Json = null,
): AsksHistory | undefined {
  const waitpoint = asks?.waitpoints.get(command)
  if (waitpoint !== undefined) Object.assign(waitpoint, { state, payload })
  return asks
}

function setChild(
  asks: AsksHistory | undefined,
  command: number,
  state: ChildHistory['state'],
): AsksHistory | undefined {
  const child = asks?.children.get(command)
  if (child !== undefined) child.state = state
  return asks
}

/** The parent of a child, from the event that says so; undefined for all other events. */
export function parentIn(event: NewRunEvent): ParentLink | undefined {
  if (event.type === 'run.created') return event.data.parent
  return event.type === 'run.continued' ? event.data.before?.parent : undefined
}
