import { isProblem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { OpenRun } from '@kyros/store/store'
import type { LoadedDefinition } from '../../definitions/definitions.ts'
import type { EngineParts } from '../engine-parts.ts'
import { factsOf } from '../run-facts.ts'
import { holdPlace } from '../run-gates.ts'

const sweepEveryMs = 10_000
const retryReadMs = 500

/** Runs that have begun keep their places over a restart, also those that stay asleep. Waits while the store is away. */
export async function holdPlaces(
  parts: Pick<EngineParts, 'definitions' | 'gates' | 'clock' | 'log'>,
  records: readonly OpenRun[],
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, LoadedDefinition | undefined>()
  for (const record of records) {
    const { definition } = record
    if (record.startedMs === null || definition === '') continue
    if (!known.has(definition)) known.set(definition, await loadPatiently(parts, definition, signal))
    const loaded = known.get(definition)
    if (loaded?.definition.concurrency !== undefined) holdPlace(parts.gates, factsOf(record), loaded)
  }
}

/** A place that is not held for an outage would be given to another run. */
async function loadPatiently(
  { definitions, clock, log }: Pick<EngineParts, 'definitions' | 'clock' | 'log'>,
  hash: string,
  signal: AbortSignal,
): Promise<LoadedDefinition | undefined> {
  while (!signal.aborted) {
    try {
      return await definitions.load(hash)
    } catch (error) {
      // It is there and cannot be used: whoever takes its run up says so.
      if (!isProblem(error, 'store_unavailable')) return undefined
      log('warn', `Definitions of unfinished runs are read again: ${String(error)}`)
      await clock.sleep(retryReadMs, signal).catch(() => {})
    }
  }
  return undefined
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
