import type { Event } from '@kyros/contract/event'
import type { Store } from '@kyros/store/store'
import { shadowReplay } from '../embedded/shadow-replay.ts'
import type { Callers, KnownRun } from './callers.ts'
import type { Catalogue } from './catalogue.ts'
import { checkRun, type Violation } from './model.ts'
import type { Scheduler } from './scheduler.ts'
import type { Troubles } from './troubles.ts'
import type { WorldRecord } from './world-record.ts'

export type World = {
  inner: Store
  callers: Callers
  record: WorldRecord
  catalogue: Catalogue
  troubles: Troubles
  scheduler: Scheduler
}

/** Judges a world after its end: every run by the model, and every history by a replay. */
export async function checkWorld(world: World): Promise<Violation[]> {
  const { inner, callers, record } = world
  const violations = record.bugs.map(
    (detail): Violation => ({ runId: '', kind: 'wrong', rule: 'fault', detail }),
  )
  violations.push(...record.stuck)
  for (const run of callers.runs) violations.push(...(await checkOne(world, run)))
  const known = new Set(callers.runs.map(({ runId }) => runId))
  const { items } = await inner.runs.list({ limit: 200 })
  for (const { id } of items) {
    if (known.has(id)) continue
    violations.push({ runId: id, kind: 'doubled', rule: 'start', detail: 'Nobody submitted this run.' })
  }
  return violations
}

async function checkOne(world: World, run: KnownRun): Promise<Violation[]> {
  const { inner, record, troubles, scheduler } = world
  const { runId } = run
  const events = await inner.events.ofRun(runId)
  const found = await inner.runs.get(runId)
  for (const event of events)
    scheduler.note(`log ${runId.slice(-4)} ${event.run_seq} ${event.type} ${event.time}`)
  const violations = checkRun({
    runId,
    events,
    ...(found === undefined ? {} : { record: found }),
    start: run.told,
    signals: run.signals,
    cancels: run.cancels,
    effects: record.effects.filter((effect) => effect.runId === runId),
    mustHaveEnded: true,
    clocksGoBackMs: troubles.clocksGoBackMs,
    ...(run.workflow === 'program' ? { isShielded } : {}),
  })
  if (events.length > 0) violations.push(...(await checkReplay(world, run, events)))
  return violations
}

// Timers have no key of their own: a program may set them in a shield.
const isShielded = (key: string) => key.startsWith('shielded-') || key.includes('#')

/** The history replayed on its definition must come to the same commands and the same end. */
async function checkReplay(
  { inner, catalogue }: World,
  run: KnownRun,
  events: readonly Event[],
): Promise<Violation[]> {
  const { runId } = run
  const end = events.at(-1)
  const loaded = catalogue.loaded(String(events[0]?.data.definition))
  if (loaded === undefined || end === undefined) return []
  const broken = (detail: string): Violation[] => [{ runId, kind: 'wrong', rule: 'replay', detail }]
  const { outcome, recorded, replayed } = await shadowReplay(inner, runId, loaded)
  const isBlocked = outcome?.kind === 'blocked'
  if (isBlocked && !bugs.has(run.workflow)) return broken(`Replay blocks the run: ${outcome.detail}`)
  if (JSON.stringify(recorded) !== JSON.stringify(replayed))
    return broken(`Recorded ${recorded.join(', ')}; replayed ${replayed.join(', ')}.`)
  if (end.type === 'run.completed') {
    const result = outcome?.kind === 'completed' ? JSON.stringify(outcome.result) : outcome?.kind
    if (result !== JSON.stringify(end.data.result))
      return broken(`Replay gives ${result} and not the recorded result.`)
  }
  if (end.type === 'run.failed' && outcome?.kind !== 'failed')
    return broken(`The run failed; replay gives ${outcome?.kind}.`)
  return []
}

/** Definitions that are wrong on purpose. */
const bugs = new Set(['buggy', 'stuck', 'careless', 'keyed'])
