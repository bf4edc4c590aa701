import type { RunRecord, Store } from '@kyros/store/store'
import { shadowReplay } from '../embedded/shadow-replay.ts'
import { differenceOf, withResult } from '../suite/replay-finished.ts'
import type { Callers, KnownRun } from './callers.ts'
import { type Catalogue, programNames } from './catalogue.ts'
import { checkFamilies, checkLimits } from './check-runs.ts'
import { limitsOf } from './limits.ts'
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
  const ids = (await inner.runs.list({ limit: 200 })).items.map(({ id }) => id)
  for (const run of new Set([...callers.runs, ...callers.known(ids)]))
    violations.push(...(await checkOne(world, run)))
  violations.push(...(await checkFamilies(inner, ids, callers)), ...(await checkLimits(inner, ids)))
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
    pauses: run.pauses,
    answers: run.answers,
    updates: run.updates,
    effects: record.effects.filter((effect) => effect.runId === runId),
    mustHaveEnded: true,
    copied: record.runs.get(runId)?.copied ?? 0,
    clocksGoBackMs: troubles.clocksGoBackMs,
    onConflict: limitsOf(found?.type)?.onConflict,
    ...(isProgram(found?.type) ? { isShielded } : {}),
  })
  if (found !== undefined) violations.push(...(await checkReplay(world, found)))
  return violations
}

// Timers have no key of their own: a program may set them in a shield.
const isShielded = (key: string) => key.startsWith('shielded-') || key.includes('#')

const isProgram = (workflow = '') => programNames.includes(workflow)

/** The history replayed on its definition must come to the same commands and the same end. */
async function checkReplay({ inner, catalogue }: World, run: RunRecord): Promise<Violation[]> {
  const loaded = catalogue.loaded(run.definition)
  if (loaded === undefined || bugs.has(run.type)) return []
  const detail = differenceOf(await withResult(run, inner), await shadowReplay(inner, run.id, loaded))
  return detail === undefined ? [] : [{ runId: run.id, kind: 'wrong', rule: 'replay', detail }]
}

/** Definitions that are wrong on purpose. */
const bugs = new Set(['buggy', 'stuck', 'careless', 'keyed'])
