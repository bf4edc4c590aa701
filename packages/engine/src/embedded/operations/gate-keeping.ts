import { isTerminal } from '@kyros/contract/run-status'
import type { RunRecord } from '@kyros/store/store'
import type { EngineParts } from '../engine-parts.ts'
import { factsOf } from '../run-facts.ts'
import { holdPlace } from '../run-gates.ts'

const sweepEveryMs = 10_000

/** Runs that have begun keep their places over a restart, also those that stay asleep. */
export async function holdPlaces(parts: EngineParts, records: readonly RunRecord[]): Promise<void> {
  for (const record of records) {
    if (record.started_at === null || record.definition === '') continue
    const loaded = await parts.definitions.load(record.definition).catch(() => undefined)
    if (loaded !== undefined) holdPlace(parts.gates, factsOf(record), loaded)
  }
}

/** Until `signal` aborts: gives back the places of runs that are gone, so that a deleted one is not waited for. */
export async function sweepGates(
  parts: EngineParts,
  isUnborn: (runId: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { gates, store, clock, log } = parts
  while (!signal.aborted) {
    await clock.sleep(sweepEveryMs, signal).catch(() => {})
    try {
      for (const runId of gates.inTheWay()) {
        if (signal.aborted) return
        if (isUnborn(runId)) continue
        const run = await store.runs.get(runId)
        if ((run === undefined && !isUnborn(runId)) || (run && isTerminal(run.status))) gates.leave(runId)
      }
    } catch (error) {
      log('warn', `Places of runs are looked at again: ${String(error)}`)
    }
  }
}
