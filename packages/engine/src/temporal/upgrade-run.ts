import { problem } from '@kyros/contract/problem'
import { readUnended } from '../embedded/operations/read-run.ts'
import { findTarget, replayOnTarget } from '../embedded/operations/upgrade-run.ts'
import type { RunOperations, Upgraded } from '../engine.ts'
import { messageOf } from '../error-text.ts'
import { type OperationsParts, soon } from './operations.ts'

const servedMs = 30_000

/**
 * Pins the run to a build that has the other definition; its attempts go on. Waits until a worker serves that build.
 * @throws definition_not_found, run_diverged, run_ended, run_not_found, service_not_ready
 */
export async function upgradeRun(
  parts: OperationsParts,
  runId: string,
  { definition }: Parameters<RunOperations['upgrade']>[1],
): Promise<Upgraded> {
  const { store, builds, cluster } = parts
  const record = await readUnended(store, runId)
  const target = await findTarget(parts, record, definition)
  const upgraded = { definition: target.hash, version: target.version, from: record.definition }
  if (record.definition === target.hash) return upgraded
  await replayOnTarget(parts, record, target)
  const build = await builds.withMember(record.type, target.hash)
  let last: unknown
  const isMoved = await soon(
    parts,
    () =>
      cluster.moveTo(runId, build.id).then(
        () => true,
        (error: unknown) => {
          last = error
          return false
        },
      ),
    servedMs,
  )
  if (!isMoved) {
    const detail = `No worker serves the definition ${target.hash.slice(0, 12)} yet (${messageOf(last)}). Try again in a moment.`
    throw problem('service_not_ready', { detail })
  }
  await soon(parts, async () => (await store.runs.get(runId))?.definition === target.hash)
  return upgraded
}
