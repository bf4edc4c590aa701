import { isProblem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { OpenRun, Store } from '@kyros/store/store'
import type { LoadedDefinition } from '../../definitions/definitions.ts'
import type { EngineParts } from '../engine-parts.ts'
import { readFacts } from '../run-facts.ts'
import { holdPlace } from '../run-gates.ts'

const sweepEveryMs = 10_000
const retryReadMs = 500

/** Runs that have begun keep their places over a restart, also those that stay asleep. Waits while the store is away. */
export async function holdPlaces(
  parts: Pick<EngineParts, 'definitions' | 'gates' | 'clock' | 'log'> & { store: Pick<Store, 'blobs'> },
  records: readonly OpenRun[],
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, LoadedDefinition | undefined>()
  for (const record of records) {
    const { definition } = record
    if (record.startedMs === null || definition === '') continue
    if (!known.has(definition)) {
      known.set(definition, await patiently(parts, () => parts.definitions.load(definition), signal))
    }
    const loaded = known.get(definition)
    if (loaded?.definition.concurrency === undefined) continue
    // One whose input is lost is blocked, and asks for no place.
    const facts = await patiently(parts, () => readFacts(record, { origin: undefined }, parts.store), signal)
    if (facts !== undefined) holdPlace(parts.gates, facts, loaded)
  }
}

/** A place that is not held for an outage would be given to another run. */
async function patiently<T>(
  { clock, log }: Pick<EngineParts, 'clock' | 'log'>,
  read: () => Promise<T | undefined>,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await read()
    } catch (error) {
      // It is there and cannot be used: whoever takes its run up says so.
      if (!isProblem(error, 'store_unavailable')) return undefined
      log('warn', `What unfinished runs need is read again: ${String(error)}`)
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
