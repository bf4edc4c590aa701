import type { Event } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { Asked, Effect, ObservedRun, Report } from './model.ts'
import { isEnd } from './model-log.ts'

/** What callers were told and what the world saw, against the log. */
export function checkCalls(observed: ObservedRun, report: Report): void {
  if (observed.start === 'refused') report('wrong', 'start', 'The start was refused, and the run is there.')
  checkSignals(observed, report)
  checkOrders(observed, observed.cancels, { type: 'run.cancel_requested', name: 'cancellation' }, report)
  checkOrders(observed, observed.pauses, { type: 'run.pause_requested', name: 'pause' }, report)
  checkAnswers(observed, report)
  checkUpdates(observed, report)
  if (observed.effects !== undefined) checkEffects(observed, observed.effects, report)
}

/** What happened in this run and not in the one that its beginning was copied from. */
const isOwn = ({ copied = 0 }: ObservedRun, event: Event) => (event.run_seq ?? 0) > copied

function checkSignals(observed: ObservedRun, report: Report): void {
  const { events, signals } = observed
  if (signals === undefined) return
  const received = new Map<string, number>()
  for (const event of events) {
    const { type, data } = event
    if (type !== 'signal.received' || !isOwn(observed, event)) continue
    const name = nameOf(String(data.signal), data.payload ?? null)
    received.set(name, (received.get(name) ?? 0) + 1)
  }
  const hasEnded = events.some(isEnd)
  for (const { signal, payload, told, byInbox } of signals) {
    const name = nameOf(signal, payload)
    const times = received.get(name) ?? 0
    received.delete(name)
    if (times > 1)
      report('doubled', 'signals', `The signal ${name} was sent once and received ${times} times.`)
    if (times > 0 && told === 'refused')
      report('wrong', 'signals', `The refused signal ${name} was received.`)
    const mayBeDropped = byInbox === true && hasEnded
    if (times === 0 && told === 'acknowledged' && !mayBeDropped)
      report('lost', 'signals', `The acknowledged signal ${name} was never received.`)
  }
  for (const name of received.keys()) report('wrong', 'signals', `Nobody sent the signal ${name}.`)
}

/** Said to be done, and not by way of the inbox of a run that has ended since. */
function isPromised({ told, byInbox }: Asked, events: readonly Event[]): boolean {
  return told === 'acknowledged' && !(byInbox === true && events.some(isEnd))
}

function checkOrders(
  observed: ObservedRun,
  orders: readonly Asked[] | undefined,
  of: { type: string; name: string },
  report: Report,
): void {
  if (orders === undefined) return
  const { events } = observed
  const isThere = events.some((event) => event.type === of.type)
  if (!isThere && orders.some((order) => isPromised(order, events)))
    report('lost', of.name, `The acknowledged ${of.name} is not in the log.`)
  // A child is also asked by its parent, and the oldest run of some workflows by the engine.
  const mayBeOther = events[0]?.data.parent !== undefined || observed.onConflict === 'cancel_oldest'
  const isNew = events.some((event) => event.type === of.type && isOwn(observed, event))
  if (isNew && !mayBeOther && orders.every(({ told }) => told === 'refused'))
    report('wrong', of.name, `Nobody who asked for the ${of.name} was let.`)
}

function checkAnswers(observed: ObservedRun, report: Report): void {
  const { events, answers } = observed
  if (answers === undefined) return
  const given = events
    .filter((event) => event.type === 'waitpoint.completed' && isOwn(observed, event))
    .map(({ data }) => textOf(data.payload))
  const sent = new Set(answers.map(({ payload }) => textOf(payload)))
  for (const payload of given) {
    if (!sent.has(payload)) report('wrong', 'waitpoints', `Nobody gave the answer ${payload}.`)
  }
  for (const answer of answers) {
    const times = given.filter((payload) => payload === textOf(answer.payload)).length
    const name = `The answer ${textOf(answer.payload)}`
    if (times > 1) report('doubled', 'waitpoints', `${name} is in the log ${times} times.`)
    if (times > 0 && answer.told === 'refused')
      report('wrong', 'waitpoints', `${name} was refused and is in the log.`)
    // By way of the inbox it may come behind another answer, or behind the time limit.
    if (times === 0 && answer.told === 'acknowledged' && answer.byInbox !== true)
      report('lost', 'waitpoints', `${name} was acknowledged and is not in the log.`)
  }
}

function checkUpdates({ events, updates }: ObservedRun, report: Report): void {
  if (updates === undefined) return
  for (const { updateId, told, result } of updates) {
    const of = events.filter(({ type, data }) => type.startsWith('update.') && data.update_id === updateId)
    if (told === 'acknowledged') {
      const completed = of.find(({ type }) => type === 'update.completed')
      if (completed === undefined)
        report('lost', 'updates', `The update ${updateId} was answered, and the log does not hold it.`)
      else if (result !== undefined && textOf(completed.data.result) !== textOf(result))
        report(
          'wrong',
          'updates',
          `${updateId} was answered with ${textOf(result)}; the log has another result.`,
        )
    } else if (told === 'refused' && of.some(({ type }) => type === 'update.completed'))
      report('wrong', 'updates', `The update ${updateId} was refused, and is completed.`)
  }
}

type Attempts = { starts: number; calls: number; outputs: Json[] }

function checkEffects(observed: ObservedRun, effects: readonly Effect[], report: Report): void {
  const { events } = observed
  const attempts = new Map<string, Attempts>()
  const of = (key: string, attempt: number) => {
    const name = `${key} attempt ${attempt}`
    const known = attempts.get(name) ?? { starts: 0, calls: 0, outputs: [] }
    attempts.set(name, known)
    return known
  }
  for (const effect of effects) {
    const known = of(effect.key, effect.attempt)
    known.calls += 1
    if (effect.output !== undefined) known.outputs.push(effect.output)
    checkMoment(events, effect, report)
  }
  for (const event of events) {
    const { type, data } = event
    const key = String(data.key)
    if (!isOwn(observed, event)) continue
    if (type === 'step.started') of(key, Number(data.attempt)).starts += 1
    else if (type === 'step.completed') checkOutput(key, data, of(key, Number(data.attempt)), report)
  }
  for (const [name, { starts, calls }] of attempts) {
    if (calls > starts)
      report('doubled', 'steps', `${name} was called ${calls} times for ${starts} starts in the log.`)
  }
}

function checkOutput(key: string, data: Event['data'], { calls, outputs }: Attempts, report: Report): void {
  if (calls === 0) report('wrong', 'effects', `${key} is completed, and nobody was called for it.`)
  // Large outputs are references to blobs: the call returned something else by design.
  if (outputs.length === 0 || isReference(data.output)) return
  const recorded = JSON.stringify(data.output)
  if (!outputs.some((output) => JSON.stringify(output) === recorded))
    report(
      'wrong',
      'outputs',
      `${key} is completed with ${recorded}, which no call of that attempt returned.`,
    )
}

/** A call needs its own start on disk, and neither its step nor its run may have ended there. */
function checkMoment(events: readonly Event[], effect: Effect, report: Report): void {
  const { key, attempt, afterRunSeq } = effect
  if (afterRunSeq === undefined) return
  const written = events.filter(({ run_seq }) => run_seq !== undefined && run_seq <= afterRunSeq)
  // What a run was before it continued as new has keys of its own.
  const known = written.slice(written.findLastIndex(({ type }) => type === 'run.continued') + 1)
  const name = `Attempt ${attempt} of ${key}`
  const isStarted = known.some(
    ({ type, data }) => type === 'step.started' && data.key === key && data.attempt === attempt,
  )
  if (!isStarted) report('wrong', 'effects', `${name} was called before its start was on disk.`)
  const ended = known.find(
    ({ type, data }) => stepEnds.has(type) && data.key === key && Number(data.attempt) >= attempt,
  )
  if (ended !== undefined)
    report('doubled', 'steps', `${name} was called after ${ended.type} #${ended.run_seq} was on disk.`)
  const end = known.find(isEnd)
  if (end !== undefined) report('wrong', 'effects', `${name} was called after ${end.type} was on disk.`)
}

const stepEnds = new Set(['step.completed', 'step.failed', 'step.cancelled'])

const textOf = (value: Json | undefined) => JSON.stringify(value ?? null)

const nameOf = (signal: string, payload: Json) => `${signal} ${JSON.stringify(payload)}`

function isReference(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && '$blob' in value
}
