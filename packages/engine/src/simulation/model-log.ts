import { type Event, isRunEnd } from '@kyros/contract/event'
import type { ObservedRun, Report } from './model.ts'

/** Events that begin a command, with what ends it. Steps have rules of their own besides. */
const endsOf: { readonly [begin: string]: readonly string[] } = {
  'step.scheduled': ['step.completed', 'step.failed', 'step.cancelled'],
  'timer.started': ['timer.fired', 'timer.cancelled'],
  'waitpoint.created': ['waitpoint.completed', 'waitpoint.expired', 'waitpoint.cancelled'],
  'child.started': ['child.completed', 'child.failed', 'child.cancelled'],
}
const beginOf = new Map(Object.entries(endsOf).flatMap(([begin, all]) => all.map((end) => [end, begin])))
/** A command that is over with its one event. */
const momentary = new Set(['value.recorded', 'attributes.set'])

type Command = {
  readonly begin: string
  readonly key: string
  readonly maxAttempts: number
  /** The earliest time at which it may end (timer) or its next attempt may begin (step). */
  notBefore: string | undefined
  attempt: number
  isRunning: boolean
  end: string | undefined
}

type Walk = {
  readonly observed: ObservedRun
  readonly report: Report
  commands: Map<number, Command>
  keys: Set<string>
  readonly openUpdates: Set<string>
  readonly endedUpdates: Set<string>
  lastCommand: number
  started: boolean
  cancelRequested: boolean
  paused: boolean
  end: Event | undefined
}

export const isEnd = (event: { readonly type: string }) => isRunEnd(event.type)

/** When a run got its place; a fork has the start of the run that it goes on from in its log. */
export function beginningOf(events: readonly Event[]): Event | undefined {
  const isLimitedFork =
    events.some(({ type }) => type === 'run.forked') &&
    events.some(({ type, data }) => type === 'run.waiting' && data.reason === 'concurrency')
  return events.find(({ type }) => type === (isLimitedFork ? 'run.resumed' : 'run.started'))
}

/** Rules that the log alone can break. */
export function checkLog(observed: ObservedRun, report: Report): void {
  const walk: Walk = { observed, report, ...nothingYet() }
  checkNumbers(observed, report)
  for (const [index, event] of observed.events.entries()) {
    const isCreation = event.type === 'run.created'
    if (isCreation !== (index === 0)) {
      report(
        isCreation ? 'doubled' : 'wrong',
        'creation',
        `${at(event)} is at place ${index + 1} of the log.`,
      )
    }
    if (walk.end !== undefined && !isEnd(event))
      report('wrong', 'nothing after the end', `${at(event)} comes after ${at(walk.end)}.`)
    checkEvent(walk, event)
  }
  if (walk.end !== undefined) checkNothingOpen(walk)
  else if (observed.mustHaveEnded === true) report('lost', 'end', stuckAt(walk))
}

function nothingYet() {
  const commands: Walk['commands'] = new Map()
  return {
    commands,
    keys: new Set<string>(),
    openUpdates: new Set<string>(),
    endedUpdates: new Set<string>(),
    lastCommand: 0,
    started: false,
    cancelRequested: false,
    paused: false,
    end: undefined,
  }
}

function checkNumbers({ events, copied = 0 }: ObservedRun, report: Report): void {
  let before: Event | undefined
  for (const event of events) {
    const expected = (before?.run_seq ?? 0) + 1
    if (event.run_seq !== expected) report('wrong', 'dense run_seq', `${at(event)} should be #${expected}.`)
    if (before !== undefined && event.seq <= before.seq)
      report('wrong', 'growing seq', `${at(event)} has ${event.seq} after ${before.seq}.`)
    if (before !== undefined && (event.run_seq ?? 0) > copied + 1 && event.time < before.time)
      report('wrong', 'times do not go back', `${at(event)} is at ${event.time}, after ${before.time}.`)
    before = event
  }
}

function checkEvent(walk: Walk, event: Event): void {
  const { type } = event
  if (isRunEnd(type)) checkEnd(walk, event)
  else if (type === 'run.started') {
    if (walk.started) walk.report('doubled', 'one start', `${at(event)} is the second start.`)
    walk.started = true
  } else if (type === 'run.cancel_requested') {
    if (walk.cancelRequested) walk.report('doubled', 'one cancellation', `${at(event)} is the second one.`)
    walk.cancelRequested = true
  } else if (type === 'run.pause_requested' || type === 'run.resume_requested') {
    const pauses = type === 'run.pause_requested'
    if (walk.paused === pauses) walk.report('doubled', 'pause', `${at(event)} changes nothing.`)
    walk.paused = pauses
  } else if (type === 'run.continued') {
    checkNothingOpen(walk)
    Object.assign(walk, { commands: new Map(), keys: new Set(), lastCommand: 0 })
  } else if (type === 'step.started') checkAttempt(walk, event)
  else if (type in endsOf || momentary.has(type)) checkBegin(walk, event)
  else if (beginOf.has(type)) checkCommandEnd(walk, event)
  else if (type.startsWith('update.')) checkUpdate(walk, event)
}

function checkEnd(walk: Walk, event: Event): void {
  if (walk.end !== undefined) walk.report('doubled', 'one end', `${at(event)} is the second end.`)
  const { events, onConflict } = walk.observed
  const isLetIn = beginningOf(events) !== undefined
  const isNotLetIn = onConflict === 'cancel_newest' && !isLetIn
  if (event.type === 'run.cancelled' && !walk.cancelRequested && !isEndedByParent(events) && !isNotLetIn)
    walk.report('wrong', 'cancellation', `${at(event)}, and nobody asked for it.`)
  if (event.data.reason === 'rejected' && (onConflict !== 'reject' || isLetIn))
    walk.report('wrong', 'concurrency', `${at(event)} says that the run was refused.`)
  if (event.type === 'run.completed' && !walk.started)
    walk.report('wrong', 'order', `${at(event)} before the run began.`)
  walk.end = event
}

/** A child may have to end at once with its parent: that is no request, and there is no clean-up. */
function isEndedByParent([created]: readonly Event[]): boolean {
  const parent = created?.data.parent
  return (
    typeof parent === 'object' &&
    parent !== null &&
    'parent_close' in parent &&
    parent.parent_close === 'cancel'
  )
}

function checkBegin(walk: Walk, event: Event): void {
  const number = commandOf(event)
  if (number === undefined) return
  const key = keyOf(event)
  if (!walk.started) walk.report('wrong', 'order', `${at(event)} before the run began.`)
  if (walk.commands.has(number))
    walk.report('doubled', 'one beginning', `${at(event)} begins command ${number} again.`)
  // A fork asks again for the children that it does not take over.
  else if (number <= walk.lastCommand && !(event.type === 'child.started' && walk.observed.copied))
    walk.report('wrong', 'commands in order', `${at(event)} has command ${number} after ${walk.lastCommand}.`)
  else if (event.type === 'step.scheduled' && walk.keys.has(key))
    walk.report('doubled', 'one step per key', `${at(event)} has the key of another step.`)
  checkShield(walk, event, key)
  walk.keys.add(key)
  walk.lastCommand = Math.max(walk.lastCommand, number)
  walk.commands.set(number, {
    begin: event.type,
    key,
    maxAttempts: typeof event.data.max_attempts === 'number' ? event.data.max_attempts : 1,
    notBefore: event.type === 'timer.started' ? textOf(event, 'fire_at') : undefined,
    attempt: 0,
    isRunning: false,
    end: momentary.has(event.type) ? event.type : undefined,
  })
}

function checkShield(walk: Walk, event: Event, key: string): void {
  const { isShielded } = walk.observed
  if (isShielded === undefined || !walk.cancelRequested || isShielded(key)) return
  walk.report(
    'wrong',
    'cancellation is honoured',
    `${at(event)} (${key}) begins after the run was asked to stop.`,
  )
}

function checkPause(walk: Walk, event: Event): void {
  if (walk.paused && !walk.cancelRequested)
    walk.report('wrong', 'a pause is honoured', `${at(event)} while the run is paused.`)
}

function checkAttempt(walk: Walk, event: Event): void {
  const command = openCommand(walk, event, 'step.scheduled')
  if (command === undefined) return
  const attempt = numberOf(event, 'attempt')
  // An attempt that the end of the engine cut off begins again under its number.
  const expected = command.isRunning ? command.attempt : command.attempt + 1
  if (attempt !== expected) {
    const kind = attempt <= command.attempt ? 'doubled' : 'wrong'
    walk.report(kind, 'attempts are numbered', `${at(event)} is attempt ${attempt}, expected ${expected}.`)
  }
  if (attempt > command.maxAttempts)
    walk.report(
      'wrong',
      'attempts are bounded',
      `${at(event)} is attempt ${attempt} of ${command.maxAttempts}.`,
    )
  if (isEarly(walk, event, command.notBefore))
    walk.report(
      'wrong',
      'retries are not early',
      `${at(event)} is at ${event.time}, due at ${command.notBefore}.`,
    )
  checkShield(walk, event, command.key)
  checkPause(walk, event)
  Object.assign(command, { attempt, isRunning: true, notBefore: undefined })
}

function isEarly({ observed }: Walk, event: Event, notBefore: string | undefined): boolean {
  return (
    notBefore !== undefined && Date.parse(event.time) + (observed.clocksGoBackMs ?? 0) < Date.parse(notBefore)
  )
}

function checkCommandEnd(walk: Walk, event: Event): void {
  const begin = beginOf.get(event.type)
  const command = begin === undefined ? undefined : openCommand(walk, event, begin)
  if (command === undefined) return
  if (command.begin === 'step.scheduled') {
    checkStepEnd(walk, event, command)
    return
  }
  const { notBefore } = command
  if (event.type === 'timer.fired' && isEarly(walk, event, notBefore))
    walk.report('wrong', 'timers are not early', `${at(event)} is at ${event.time}, due at ${notBefore}.`)
  if (event.type === 'timer.fired') checkPause(walk, event)
  command.end = event.type
}

function checkStepEnd(walk: Walk, event: Event, command: Command): void {
  const attempt = numberOf(event, 'attempt')
  if (attempt !== command.attempt)
    walk.report(
      'wrong',
      'attempts are numbered',
      `${at(event)} ends attempt ${attempt}, not ${command.attempt}.`,
    )
  const outOfTime = event.type === 'step.failed' && errorCodeOf(event) === 'step_timed_out'
  // Its limit for all attempts together may end a step between two of them.
  if (event.type !== 'step.cancelled' && !command.isRunning && !outOfTime)
    walk.report('wrong', 'order', `${at(event)} without an attempt that runs.`)
  const retryAt = textOf(event, 'retry_at')
  if (event.type === 'step.failed' && retryAt !== undefined)
    Object.assign(command, { isRunning: false, notBefore: retryAt })
  else Object.assign(command, { isRunning: false, end: event.type })
}

/** The command of an event that must have begun and not ended. */
function openCommand(walk: Walk, event: Event, begin: string): Command | undefined {
  const number = commandOf(event)
  const command = number === undefined ? undefined : walk.commands.get(number)
  if (command === undefined || command.begin !== begin) {
    walk.report('wrong', 'order', `${at(event)} belongs to no command that began.`)
    return undefined
  }
  if (command.end === undefined) return command
  const kind = command.end === event.type || event.type === 'step.started' ? 'doubled' : 'wrong'
  walk.report(kind, 'nothing after its end', `${at(event)} (${command.key}) comes after its ${command.end}.`)
  return undefined
}

function checkUpdate(walk: Walk, event: Event): void {
  const id = textOf(event, 'update_id')
  if (id === undefined) return
  const { openUpdates, endedUpdates, report } = walk
  if (event.type === 'update.accepted') {
    if (openUpdates.has(id) || endedUpdates.has(id))
      report('doubled', 'one update', `${at(event)} is the second one.`)
    openUpdates.add(id)
    return
  }
  if (endedUpdates.has(id)) report('doubled', 'one answer', `${at(event)} answers the update ${id} again.`)
  else if (!openUpdates.delete(id))
    report('wrong', 'order', `${at(event)} answers an update that was not accepted.`)
  endedUpdates.add(id)
}

function checkNothingOpen(walk: Walk): void {
  for (const [number, { key, begin, end }] of walk.commands) {
    if (end === undefined)
      walk.report('wrong', 'nothing left open', `${begin} ${number} (${key}) has no end.`)
  }
}

function stuckAt(walk: Walk): string {
  const last = walk.observed.events.at(-1)
  const open = [...walk.commands.values()].filter(({ end }) => end === undefined).map(({ key }) => key)
  return `The run does not end; its last event is ${last === undefined ? 'none' : at(last)}, open: ${open.join(', ') || 'nothing'}.`
}

const at = (event: Event) => `${event.type} #${event.run_seq}`

function commandOf(event: Event): number | undefined {
  return typeof event.data.command === 'number' ? event.data.command : undefined
}

function numberOf(event: Event, field: string): number {
  const value = event.data[field]
  return typeof value === 'number' ? value : Number.NaN
}

function textOf(event: Event, field: string): string | undefined {
  const value = event.data[field]
  return typeof value === 'string' ? value : undefined
}

function keyOf(event: Event): string {
  const name = textOf(event, 'key') ?? textOf(event, event.type.split('.')[0] ?? '') ?? textOf(event, 'name')
  return event.type === 'step.scheduled' ? (name ?? '') : `${name ?? event.type}#${commandOf(event)}`
}

function errorCodeOf({ data: { error } }: Event): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}
