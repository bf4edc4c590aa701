import type { DefinitionSummary } from '../../engine.ts'
import type { EngineParts } from '../engine-parts.ts'

/** Every definition of the workflows here, and of those that runs still need; newest first. */
export async function readDefinitions({
  definitions,
  store,
}: Pick<EngineParts, 'definitions' | 'store'>): Promise<DefinitionSummary[]> {
  const [stored, live] = await Promise.all([definitions.stored(), store.runs.countByDefinition()])
  return stored
    .map(({ hash, workflow, version, createdMs, isStartable }) => ({
      ...{ hash, workflow, version, createdMs },
      isNewest: isStartable,
      liveRuns: live.get(hash) ?? 0,
    }))
    .filter(({ workflow, liveRuns }) => liveRuns > 0 || definitions.startable.has(workflow))
}
