import type { RunUpgrade, RunUpgraded } from '@kyros/contract/run-operation'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { getRunRecord } from './get-run.ts'
import { mustOwnRun } from './must-own.ts'

/**
 * Moves a run to another definition if its history replays on it; else it stays as it was.
 * @throws run_not_found, permission_denied, run_ended, definition_not_found, run_diverged
 */
export async function upgradeRun(
  { store, engine }: ApiContext,
  id: string,
  { definition }: RunUpgrade,
  caller: Caller,
): Promise<RunUpgraded> {
  const { job_id } = await getRunRecord(store, id)
  await mustOwnRun(store, job_id, caller)
  const to = { ...(definition !== undefined && { definition }), principal: caller }
  const upgraded = await engine.upgrade(id, to)
  return { run_id: id, moved: upgraded.from !== upgraded.definition, ...upgraded }
}
