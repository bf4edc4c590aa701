import { type ProblemError, problem } from '@kyros/contract/problem'
import type { RunRecord, Store } from '@kyros/store/store'
import type { Definitions } from '../../definitions/definitions.ts'
import type { Upgraded } from '../../engine.ts'
import type { EngineParts } from '../engine-parts.ts'
import { type History, readHistory } from '../history.ts'
import type { LiveRun } from '../live-run.ts'
import { readFacts } from '../run-facts.ts'
import type { RunTable } from '../run-table.ts'
import type { EngineClock } from '../timers.ts'
import { isInTime } from '../wait-limit.ts'
import type { Command, Recorded, WorkflowHost } from '../workflow-host.ts'
import type { Sender } from './control-run.ts'
import { mustNotHaveEnded, readRun } from './read-run.ts'
import { recordedIn, replayBeside } from './scratch-replay.ts'

export type Target = { hash: string; version: string }

type Parts = { store: Store; definitions: Definitions }
type LiveParts = Parts & { table: RunTable; clock: EngineClock }

// Each try replays what came meanwhile; a run that says something all the time is caught between two facts.
const maxTries = 20
const longestWaitMs = 10_000
const lookEveryMs = 50

/** The definition that is meant: by its hash or the unique beginning of one, or the newest. @throws definition_not_found */
export async function findTarget(
  { definitions }: Parts,
  record: RunRecord,
  wanted: string | undefined,
): Promise<Target> {
  if (wanted === undefined) {
    const newest = definitions.startable.get(record.type)
    if (newest !== undefined) return { hash: newest.hash, version: newest.version }
    throw notFound(`The workflow ${record.type} has no definition here any more; name a hash.`)
  }
  const stored = await definitions.stored()
  const found = stored.filter(({ hash, workflow }) => workflow === record.type && hash.startsWith(wanted))
  const [only] = found
  if (only !== undefined && found.length === 1) return { hash: only.hash, version: only.version }
  const which = found.length === 0 ? 'There is no definition' : 'There is more than one definition'
  throw notFound(`${which} ${wanted} of the workflow ${record.type}.`)
}

/** Replays the run on the target, beside it. @throws run_diverged, definition_not_found */
export async function replayOnTarget(
  parts: Parts,
  record: RunRecord,
  target: Target,
  run?: LiveRun,
): Promise<{ host: WorkflowHost; history: History }> {
  const loaded = await parts.definitions.load(target.hash)
  if (loaded === undefined) throw notFound(`The bundle ${target.hash} is not in the store.`)
  const history = await readHistory(parts.store, record.id)
  const own = await readFacts(record, history, parts.store)
  const facts = { ...own, definition: target.hash, version: target.version }
  const createHost = run && ((recorded: Map<number, Recorded>) => run.createHost(loaded, recorded))
  const host = await replayBeside(history.events, facts, loaded, createHost)
  const { outcome } = host
  if (outcome?.kind !== 'blocked') return { host, history }
  throw problem('run_diverged', {
    detail: `The run ${record.id} stays on its definition: ${outcome.detail}`,
  })
}

/**
 * Moves a run in memory. Its attempts go on; only the code that waits for them is another. Durable when this resolves.
 * @throws run_diverged, definition_not_found, run_ended
 */
export async function upgradeLive(
  parts: LiveParts,
  run: LiveRun,
  record: RunRecord,
  target: Target,
  sender: Sender,
): Promise<Upgraded> {
  const from = run.facts.definition
  if (from === target.hash) return { definition: from, version: run.facts.version, from }
  for (let tries = 0; tries < maxTries; tries++) {
    if (!(await isInTime(run.settled(), parts.clock, longestWaitMs))) break
    const { host, history } = await replayOnTarget(parts, record, target, run)
    const asked = host.take().filter(isNew(recordedIn(history.events)))
    // What is blocked may lack steps that the new code waits for, and what has not begun has nothing to keep.
    const mustReload = run.blocked !== undefined || run.startedMs === undefined
    if (await moved(run, { host, asked, mustReload, runSeq: history.runSeq, target, from }, sender)) {
      if (mustReload) await parts.table.reload(run)
      return { definition: target.hash, version: target.version, from }
    }
  }
  throw problem('service_not_ready', {
    detail: `The run ${record.id} is too busy to be moved. Pause it first, or try again.`,
  })
}

/** Waits for what the process that runs the engine makes of the order. @throws service_not_ready when that takes long */
export async function untilMoved(
  { store, clock }: Pick<EngineParts, 'store' | 'clock'>,
  runId: string,
  target: Target,
): Promise<void> {
  const giveUpMs = clock.nowMs() + longestWaitMs
  for (;;) {
    const record = await readRun(store, runId)
    if (record.definition === target.hash) return
    mustNotHaveEnded(record)
    if (clock.nowMs() > giveUpMs) {
      const detail = `The order to move the run ${runId} is stored and not carried out yet. Look at the run again.`
      throw problem('service_not_ready', { detail, retryAfterSeconds: 1 })
    }
    await clock.sleep(lookEveryMs)
  }
}

/** What the history holds is under way or done; to cancel what is not there changes nothing. */
function isNew(recorded: ReadonlyMap<number, Recorded>): (command: Command) => boolean {
  return (command) => {
    if (!('command' in command) || command.kind.startsWith('cancel_')) return true
    return !recorded.has(command.command)
  }
}

type Move = {
  host: WorkflowHost
  asked: readonly Command[]
  mustReload: boolean
  runSeq: number
  target: Target
  from: string
}

/** False when something has happened to the run since it was read. */
async function moved(run: LiveRun, move: Move, sender: Sender): Promise<boolean> {
  const { target, from, runSeq } = move
  let isMoved = false
  await run.act((hands, done, lost) => {
    if (!run.journal.isSettled || run.journal.runSeq !== runSeq) {
      done()
      return
    }
    isMoved = true
    const data = { definition: target.hash, version: target.version, from }
    hands.push({ type: 'run.upgraded', actor: sender.actor, data }, done, lost)
    const bundle = { definition: target.hash, version: target.version }
    if (!move.mustReload) hands.adopt(move.host, move.asked, bundle)
  })
  return isMoved
}

function notFound(detail: string): ProblemError {
  return problem('definition_not_found', { detail: `${detail} \`kyros workflows\` lists what there is.` })
}
