import { isDeepStrictEqual } from 'node:util'
import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { InboxMessage } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import type { PayloadCodec } from '@temporalio/common'
import type { Definitions } from '../definitions/definitions.ts'
import type { EngineLog } from '../embedded/engine-parts.ts'
import { readHistory } from '../embedded/history.ts'
import { readDefinitions } from '../embedded/operations/definitions.ts'
import { forkRun } from '../embedded/operations/fork-run.ts'
import { messageOf, type Operation } from '../embedded/operations/operate.ts'
import { readRun, readUnended } from '../embedded/operations/read-run.ts'
import { resultOf } from '../embedded/operations/update-run.ts'
import { findWaitpoint, isAnswered, storedAnswer } from '../embedded/operations/waitpoint.ts'
import type { RunGates } from '../embedded/run-gates.ts'
import { followStream } from '../embedded/streams.ts'
import type { EngineClock } from '../embedded/timers.ts'
import { createWaitpointTokens, type WaitpointKey, type WaitpointRef } from '../embedded/waitpoint-tokens.ts'
import type { RunOperations } from '../engine.ts'
import type { Builds } from './builds.ts'
import type { Cluster } from './cluster.ts'
import { mustBePlayable } from './fork-prefix.ts'
import { queryRun } from './query-run.ts'
import { readExecutions } from './read-executions.ts'
import { refOfToken, verifyToken } from './token-check.ts'
import { updateRun } from './update-run.ts'
import { upgradeRun } from './upgrade-run.ts'

export type OperationsParts = {
  readonly store: Store
  readonly clock: EngineClock
  readonly definitions: Definitions
  readonly log: EngineLog
  readonly cluster: Cluster
  readonly builds: Builds
  readonly keys: readonly [WaitpointKey, ...WaitpointKey[]]
  readonly codecs: readonly PayloadCodec[]
  readonly gates: RunGates
  /** @throws temporal_unavailable where no run is accepted while the cluster is away */
  readonly mustAccept: () => void
  /** Appends to the log of a run what the cluster knows of it by now. */
  readonly catchUp: (runId: string) => Promise<void>
  /** There is a new run in the inbox. */
  readonly onAccepted: () => void
  /** Durable when it resolves. @throws run_not_found, run_ended */
  readonly reach: (message: InboxMessage) => Promise<void>
}

const settleMs = 5_000
const lookEveryMs = 20

/** What is done to runs of a cluster from outside. */
export function createTemporalOperations(parts: OperationsParts): RunOperations {
  const { store } = parts
  const send = (runId: string, operation: Operation, actor: string) =>
    parts.reach(messageOf(runId, operation, actor))
  return {
    pause: (runId, principal) => send(runId, { kind: 'pause' }, principal.id),

    resume: async (runId, principal) => {
      const isPaused = await soon(parts, async () => (await readUnended(store, runId)).paused === true)
      if (!isPaused) throw problem('run_not_paused', { detail: `The run ${runId} is not paused.` })
      await send(runId, { kind: 'resume' }, principal.id)
    },

    setBudget: async (runId, limits, principal) => {
      const { budget } = await readUnended(store, runId)
      const { time_ms: timeMs, tokens, cost_usd: costUsd } = budget ?? {}
      const known = {
        ...(timeMs === undefined ? {} : { timeMs }),
        ...(tokens === undefined ? {} : { tokens }),
        ...(costUsd === undefined ? {} : { costUsd }),
      }
      await send(runId, { kind: 'set_budget', limits: { ...known, ...limits } }, principal.id)
    },

    reportUsage: async (runId, used) => {
      await readUnended(store, runId)
      // A step says so before it ends: its run must not begin the next before it knows.
      await send(runId, { kind: 'report_usage', used }, 'engine')
    },

    fork: (runId, from) => forkToCluster(parts, runId, from),

    upgrade: (runId, to) => upgradeRun(parts, runId, to),

    query: (runId, name, payload) => queryRun(parts, runId, name, payload),

    update: (runId, name, payload, options) =>
      updateRun(parts, runId, { name, payload, updateId: options.updateId, actor: options.principal.id }),

    completeWaitpoint: async (token, payload, principal) => {
      const ref = await verifyToken(parts, token)
      return answerWaitpoint(parts, ref, payload, principal?.id ?? 'whoever has the token')
    },

    answerWaitpoint: async (runId, command, payload, principal) => {
      const { continued: part = 0 } = await readRun(store, runId)
      return answerWaitpoint(parts, { runId, part, command }, payload, principal.id)
    },

    runOfWaitpoint: (token) => refOfToken(token)?.runId,

    describeWaitpoint: async (token) => {
      const {
        name,
        title = null,
        expiresAtMs = null,
        isOpen,
      } = await findWaitpoint(parts, await verifyToken(parts, token))
      return { name, title, isOpen, expiresAtMs }
    },

    stream: (runId, name, { afterOffset }, signal) => followStream(store, runId, name, afterOffset, signal),

    executions: (runId, knownBuild) => readExecutions(parts, runId, knownBuild),

    definitions: () => readDefinitions(parts),
  }
}

/** The fork goes to the cluster, whichever engine has the run that it is made of. @throws run_fork_unsupported */
async function forkToCluster(
  parts: OperationsParts,
  runId: string,
  from: Parameters<RunOperations['fork']>[1],
): ReturnType<RunOperations['fork']> {
  parts.mustAccept()
  // What its worker does already is to be in the log that the fork is made of.
  if ((await readRun(parts.store, runId)).engine === 'temporal') await parts.catchUp(runId)
  const own = {
    engine: 'temporal' as const,
    mustAnnounce: () => true,
    mustTake: mustBePlayable,
    waitpointTokens: createWaitpointTokens(parts.keys),
  }
  const forked = await forkRun({ ...parts, ...own }, runId, from)
  parts.onAccepted()
  return forked
}

/** Answers a waitpoint once; the same answer again changes nothing. @throws waitpoint_token_invalid, waitpoint_closed */
async function answerWaitpoint(
  parts: OperationsParts,
  ref: WaitpointRef,
  payload: Json,
  actor: string,
): Promise<{ runId: string; waitpoint: string }> {
  const { runId, part, command } = ref
  const { name } = await findWaitpoint(parts, ref)
  const answered = { runId, waitpoint: name }
  if (await isAnswered(parts, ref, payload)) return answered
  const stored = await storedAnswer(parts, runId, payload)
  await parts.reach(messageOf(runId, { kind: 'answer_waitpoint', part, command, stored }, actor))
  // Of two answers the first counts: who was second hears it, where that is known soon.
  await soon(parts, async () => (await stateOf(parts, ref)) !== 'open')
  const { state, payload: given = null } = await findWaitpoint(parts, ref)
  const isOurs =
    state !== 'completed' || isDeepStrictEqual(await fromStored(given, parts.store.blobs), payload)
  if (isOurs) return answered
  throw problem('waitpoint_closed', { detail: `The waitpoint ${name} is answered already.` })
}

async function stateOf(parts: OperationsParts, ref: WaitpointRef): Promise<string> {
  return (await findWaitpoint(parts, ref)).state
}

/** Whether it becomes true within the time in which the log follows the cluster. */
export async function soon(
  { clock }: Pick<OperationsParts, 'clock'>,
  look: () => Promise<boolean>,
  withinMs = settleMs,
): Promise<boolean> {
  const untilMs = clock.nowMs() + withinMs
  for (;;) {
    if (await look()) return true
    if (clock.nowMs() >= untilMs) return false
    await clock.sleep(lookEveryMs)
  }
}

/** What an update of a run that has ended was answered. @throws run_ended when it was not */
export async function answeredBefore(
  store: Store,
  record: RunRecord,
  update: { name: string; updateId: string },
): Promise<Json> {
  const { asks } = await readHistory(store, record.id)
  const end = asks?.updates.get(update.updateId)
  if (end !== undefined) return resultOf(update, end)
  const detail = `The run ${record.id} is ${record.status}: nothing reaches it any more.`
  throw problem(isTerminal(record.status) ? 'run_ended' : 'update_pending', { detail })
}
