import type { WorkflowVersion } from '@kyros/contract/run-operation'
import type { Engine } from '@kyros/engine/engine'

/** The definitions that are kept, newest first, as the API says them. */
export async function listVersions(engine: Engine): Promise<{ versions: WorkflowVersion[] }> {
  const definitions = await engine.definitions()
  const versions = definitions.map((definition) => ({
    workflow: definition.workflow,
    version: definition.version,
    definition: definition.hash,
    created_at: new Date(definition.createdMs).toISOString(),
    is_newest: definition.isNewest,
    live_runs: definition.liveRuns,
  }))
  return { versions }
}
