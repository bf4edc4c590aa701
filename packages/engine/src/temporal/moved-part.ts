import type { CarriedSignal } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import { type History, historyFrom } from '../embedded/history.ts'
import { factsOf, type RunFacts, seenBy } from '../embedded/run-facts.ts'
import type { BudgetLimits } from '../engine.ts'

/** A part of a run that the embedded engine had until then: what it begins with, and what outlives the parts before. */
export type MovedPart = {
  readonly part: number
  readonly input: Json
  readonly carried: CarriedSignal[]
  readonly loop?: { state: Json }
  /** Whose dice it rolls, and as which attempt, where not its own. */
  readonly seen: { seed?: string; attempt?: number }
  /** In how much time attempts ran. */
  readonly activeMs: number
  /** When its time is up. */
  readonly endMs: number
}

/** What the log says of such a run that the cluster does not know yet. */
export type MovedRun = {
  readonly facts: RunFacts
  readonly moved: MovedPart
  readonly pausedBy: string | undefined
  readonly limits: BudgetLimits | undefined
  readonly used: { tokens: number; costUsd: number }
}

/**
 * The run whose last part came from the embedded engine, or `started` where the log has something of that part from the
 * cluster; undefined for any other. @throws StoredValueLost
 */
export async function readMovedRun(
  store: Store,
  record: RunRecord,
): Promise<MovedRun | 'started' | undefined> {
  if (record.continued === undefined) return undefined
  const events = (await store.runs.histories([record.id])).get(record.id) ?? []
  const [first] = events
  if (first?.type !== 'run.continued') return undefined
  if (events.some(({ data }) => 'history' in data)) return 'started'
  if (first.data.engine === undefined) return undefined
  const history = await historyFrom(events.slice(0, 1), store)
  const { control, origin, activity, traceparent } = history
  const { input, part, carried, loop } = continuedIn(history)
  const { pausedMs = 0, paused, limits, tokens = 0, costUsd = 0 } = control ?? {}
  const waitedMs = pausedMs + (paused === undefined ? 0 : Math.max(0, first.timeMs - paused.sinceMs))
  const startedMs = history.startedMs ?? first.timeMs
  const facts = factsOf(record)
  return {
    // Its place among the runs of its workflow goes by what the run began with.
    facts: {
      ...facts,
      input: await fromStored(facts.input, store.blobs),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    moved: {
      ...{ part, input, carried, ...(loop === undefined ? {} : { loop }), seen: seenBy(origin) },
      activeMs: activity.totalMs,
      endMs: startedMs + waitedMs + 1000 * record.timeout_seconds,
    },
    pausedBy: paused?.by,
    limits,
    used: { tokens, costUsd },
  }
}

/** With its payloads in their places. */
function continuedIn({ events, part }: History) {
  const [first] = events
  if (first?.type !== 'run.continued') throw new TypeError('The part has no beginning.')
  return { ...first.data, part: first.data.part ?? part }
}
