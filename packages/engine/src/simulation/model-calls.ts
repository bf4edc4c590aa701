import type { Event } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { Effect, ObservedRun, Report } from './model.ts'
import { isEnd } from './model-log.ts'

/** What callers were told and what the world saw, against the log. */
export function checkCalls(observed: ObservedRun, report: Report): void {
  if (observed.start === 'refused') report('wrong', 'start', 'The start was refused, and the run is there.')
  checkSignals(observed, report)
  checkCancels(observed, report)
  if (observed.effects !== undefined) checkEffects(observed.events, observed.effects, report)
}

function checkSignals({ events, signals }: ObservedRun, report: Report): void {
  if (signals === undefined) return
  const received = new Map<string, number>()
  for (const { type, data } of events) {
    if (type !== 'signal.received') continue
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

function checkCancels({ events, cancels }: ObservedRun, report: Report): void {
  if (cancels === undefined) return
  const isRequested = events.some(({ type }) => type === 'run.cancel_requested')
  const hasEnded = events.some(isEnd)
  const isPromised = cancels.some(
    ({ told, byInbox }) => told === 'acknowledged' && !(byInbox === true && hasEnded),
  )
  if (isPromised && !isRequested)
    report('lost', 'cancellation', 'The acknowledged cancellation is not in the log.')
  if (isRequested && cancels.every(({ told }) => told === 'refused'))
    report('wrong', 'cancellation', 'Nobody who asked for the cancellation was let.')
}

type Attempts = { starts: number; calls: number; outputs: Json[] }

function checkEffects(events: readonly Event[], effects: readonly Effect[], report: Report): void {
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
  for (const { type, data } of events) {
    const key = String(data.key)
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

const nameOf = (signal: string, payload: Json) => `${signal} ${JSON.stringify(payload)}`

function isReference(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && '$blob' in value
}
