import type { Json } from '@kyros/contract/json'
import type { Run } from '@kyros/contract/run'
import type { Store } from '@kyros/store/store'
import { fromStored, isBlobReference } from '@kyros/store/stored-value'

/** How much of a run's large values one answer carries; the rest stays a reference `{ $blob, bytes }`. */
const maxBytes = 4 * 1024 * 1024

/** The value that a large result or output stands for; a reference whose blob is gone stays what it is. */
export async function readPayload(store: Store, stored: unknown): Promise<unknown> {
  // Results and outputs are JSON; their schemas say `unknown`.
  const value = stored as Json
  if (value === null || !isBlobReference(value)) return stored
  try {
    return await fromStored(value, store.blobs)
  } catch {
    return stored
  }
}

/** The run with its large values put in: result and input first, then those of steps, as far as they fit. */
export async function withPayloads(store: Store, run: Run): Promise<Run> {
  const budget = { bytes: maxBytes }
  const read = async (stored: unknown): Promise<unknown> => {
    // As above: what the log keeps is JSON.
    const value = (stored ?? null) as Json
    if (value === null || !isBlobReference(value) || value.bytes > budget.bytes) return stored
    budget.bytes -= value.bytes
    return readPayload(store, stored)
  }
  const result = await read(run.result)
  const input = await read(run.input)
  const steps: Run['steps'] = []
  for (const step of run.steps) steps.push({ ...step, output: await read(step.output) })
  for (const step of steps) step.input = await read(step.input)
  return { ...run, input, result, steps }
}
