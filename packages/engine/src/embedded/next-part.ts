import type { CarriedSignal } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import type { EngineParts } from './engine-parts.ts'
import { toStored } from './payload.ts'
import type { RunFacts } from './run-facts.ts'
import type { Continuation } from './workflow-host.ts'

type PartData = { input: Json; part: number; carried: CarriedSignal[]; loop?: { state: Json } }

export type NextPart = {
  definition: string
  version: string
  /** Undefined when that bundle cannot be had. */
  loaded: LoadedDefinition | undefined
  /** As the definition sees it, and as the log keeps it. */
  data: { seen: PartData; stored: PartData }
}

/** What a run that continues as new goes on with: its bundle, and its payloads, on disk where they are large. */
export async function nextPart(
  parts: EngineParts,
  facts: RunFacts,
  current: LoadedDefinition | undefined,
  next: Continuation,
): Promise<NextPart> {
  const { input, part, carried, loop } = next
  const { blobs } = parts.store
  const newest = next.upgrade ? parts.definitions.startable.get(facts.workflow) : undefined
  const { definition, version } =
    newest === undefined ? facts : { definition: newest.hash, version: newest.version }
  const loaded = definition === facts.definition ? current : await parts.definitions.load(definition)
  const stored: PartData = {
    input: await toStored(input, 'The input of the next part', blobs),
    part,
    carried,
  }
  if (loop !== undefined) stored.loop = { state: await toStored(loop.state, 'The state of the loop', blobs) }
  const seen: PartData = { input, part, carried, ...(loop === undefined ? {} : { loop }) }
  return { definition, version, loaded, data: { seen, stored } }
}
