import type { Json } from '@kyros/contract/json'
import { isProblem, ProblemError, problem } from '@kyros/contract/problem'
import type { InboxMessage } from '@kyros/store/command'
import type { Engine, RunOperations, Upgraded } from '../../engine.ts'
import type { EngineParts } from '../engine-parts.ts'
import { readHistory } from '../history.ts'
import type { LiveRun } from '../live-run.ts'
import type { RunTable } from '../run-table.ts'
import { followStream } from '../streams.ts'
import type { SubmitterOptions } from '../submit.ts'
import type { WaitpointRef } from '../waitpoint-tokens.ts'
import { readDefinitions } from './definitions.ts'
import { forkRun } from './fork-run.ts'
import { messageOf, type Operation, operate } from './operate.ts'
import { queryBeside, queryLive } from './query-run.ts'
import { readRun, readUnended } from './read-run.ts'
import { storedInTime } from './stored-in-time.ts'
import { awaitAnswer, knownOrTaken } from './update-elsewhere.ts'
import { longestWaitMs, resultOf, updateLive } from './update-run.ts'
import { findTarget, replayOnTarget, type Target, untilMoved, upgradeLive } from './upgrade-run.ts'
import { answerLive, describe, findWaitpoint, isAnswered, readToken, storedAnswer } from './waitpoint.ts'

/** Does something to a run where this process moves it; where not, sends the message to the one that does. */
export type Reach = (
  runId: string,
  message: InboxMessage,
  act: (run: LiveRun) => Promise<void>,
) => Promise<void>

export type OperationsOptions = Pick<SubmitterOptions, 'mustAnnounce'> & {
  parts: EngineParts
  table: RunTable
  reach: Reach
  /** True while this process runs the engine. */
  isHeld: () => boolean
}

const actorOf = (principal: { id: string } | undefined) => principal?.id ?? 'token'

/** What is done to runs from outside, on the engine that the options are parts of. */
export function createOperations(options: OperationsOptions): RunOperations {
  const { parts, table, isHeld } = options
  const { store } = parts
  const send = (runId: string, operation: Operation, actor: string) =>
    options.reach(runId, messageOf(runId, operation, actor), (run) =>
      operate({ ...parts, table }, run, operation, { actor }),
    )

  return {
    pause: (runId, principal) => send(runId, { kind: 'pause' }, principal.id),

    resume: async (runId, principal) => {
      // The holder refuses it too; one that only sends the order would never hear of that.
      if (!isHeld() && (await readUnended(store, runId)).paused !== true) {
        throw problem('run_not_paused', { detail: `The run ${runId} is not paused.` })
      }
      await send(runId, { kind: 'resume' }, principal.id)
    },

    setBudget: (runId, limits, principal) => send(runId, { kind: 'set_budget', limits }, principal.id),

    reportUsage: (runId, used) => send(runId, { kind: 'report_usage', used }, 'engine'),

    fork: async (runId, from) => {
      const forked = await forkRun({ ...parts, mustAnnounce: options.mustAnnounce }, runId, from)
      if (isHeld() && 'seq' in forked) await takeUp(parts, table, from.runId)
      return forked
    },

    upgrade: (runId, { definition, principal }) => upgrade(options, send, { runId, definition, principal }),

    query: async (runId, name, payload) => {
      const run = isHeld() ? await table.find(runId) : undefined
      const live = run === undefined ? undefined : await queryLive(run, name, payload).catch(unlessGone)
      if (live !== undefined) return live
      return queryBeside(parts, await readRun(store, runId), name, payload)
    },

    update: (runId, name, payload, { updateId, principal }) =>
      update(options, runId, { name, payload, updateId, actor: principal.id }),

    completeWaitpoint: async (token, payload, principal) =>
      answerWaitpoint(options, readToken(parts, token), payload, actorOf(principal)),

    answerWaitpoint: async (runId, command, payload, principal) => {
      const { continued: part = 0 } = await readRun(store, runId)
      return answerWaitpoint(options, { runId, part, command }, payload, principal.id)
    },

    runOfWaitpoint: (token) => parts.waitpointTokens.read(token)?.runId,

    describeWaitpoint: async (token) => describe(parts, readToken(parts, token)),

    stream: (runId, name, { afterOffset }, signal) => followStream(store, runId, name, afterOffset, signal),

    executions: async (runId) => {
      const { engine } = await readRun(store, runId)
      if (engine !== 'temporal') return { build: '', histories: [], isWhole: true }
      const detail = `The run ${runId} is on Temporal, and this server has no temporal.host_port.`
      throw problem('temporal_unavailable', { detail })
    },

    definitions: () => readDefinitions(parts),
  }
}

/** Answers a waitpoint once; the same answer again changes nothing. @throws waitpoint_token_invalid, waitpoint_closed */
async function answerWaitpoint(
  { parts, reach }: OperationsOptions,
  ref: WaitpointRef,
  payload: Json,
  actor: string,
): Promise<{ runId: string; waitpoint: string }> {
  const { runId, part, command } = ref
  const { name } = await findWaitpoint(parts, ref)
  const answered = { runId, waitpoint: name }
  if (await isAnswered(parts, ref, payload)) return answered
  const stored = await storedAnswer(parts, runId, payload)
  const operation: Operation = { kind: 'answer_waitpoint', part, command, stored }
  await reach(runId, messageOf(runId, operation, actor), async (run) => {
    const isOpen = await answerLive(parts, run, { ref, stored }, { actor })
    // Somebody else was quicker: the same answer is as good.
    if (!isOpen && !(await isAnswered(parts, ref, payload))) {
      throw problem('waitpoint_closed', { detail: `The waitpoint ${name} is not asked any more.` })
    }
  })
  return answered
}

/** This process let go of the run before it answered: whether it took the update, and the answer, are in its log. */
function unlessLetGo(error: unknown): undefined {
  if (error instanceof ProblemError && error.code !== 'service_not_ready') throw error
}

/** The run left this process meanwhile: its log answers. */
function unlessGone(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'run_ended' && code !== 'service_not_ready') throw error
}

async function takeUp({ log }: EngineParts, table: RunTable, runId: string): Promise<void> {
  await table.find(runId).catch((error: unknown) => {
    log('warn', `Run ${runId} is forked and taken up a little later: ${String(error)}`)
  })
}

type Send = (runId: string, operation: Operation, actor: string) => Promise<void>

async function upgrade(
  { parts, table, isHeld }: OperationsOptions,
  send: Send,
  { runId, definition, principal }: Parameters<Engine['upgrade']>[1] & { runId: string },
): Promise<Upgraded> {
  const record = await readUnended(parts.store, runId)
  const target: Target = await findTarget(parts, record, definition)
  const upgraded = { definition: target.hash, version: target.version, from: record.definition }
  if (record.definition === target.hash) return upgraded
  const run = isHeld() ? await table.find(runId) : undefined
  if (run !== undefined) return upgradeLive({ ...parts, table }, run, record, target, { actor: principal.id })
  // The holder does it again for itself; who asked hears at once what speaks against it.
  await replayOnTarget(parts, record, target)
  await send(runId, { kind: 'upgrade', definition: target.hash }, principal.id)
  await untilMoved(parts, runId, target)
  return upgraded
}

type AskedUpdate = { name: string; payload: Json; updateId: string; actor: string }

/** An update of a run that has ended may have been answered before: its log tells. */
async function update(options: OperationsOptions, runId: string, asked: AskedUpdate): Promise<Json> {
  try {
    return await askUpdate(options, runId, asked)
  } catch (error) {
    if (!isProblem(error, 'run_ended')) throw error
    const { asks } = await readHistory(options.parts.store, runId)
    const end = asks?.updates.get(asked.updateId)
    if (end === undefined) throw error
    return resultOf(asked, end)
  }
}

async function askUpdate(
  { parts, table, isHeld, reach }: OperationsOptions,
  runId: string,
  asked: AskedUpdate,
): Promise<Json> {
  const { store } = parts
  const untilMs = parts.clock.nowMs() + longestWaitMs
  const record = await readRun(store, runId)
  const run = isHeld() ? await table.find(runId) : undefined
  if (run !== undefined) {
    const live = await updateLive(parts, run, asked).then((result) => ({ result }), unlessLetGo)
    if (live !== undefined) return live.result
  }
  const { name, payload, updateId, actor } = asked
  const afterSeq = await store.events.head()
  const known = await knownOrTaken(parts, record, asked, payload)
  if (known?.end !== undefined) return resultOf(asked, known.end)
  if (known === undefined) {
    const stored = await storedInTime(parts, runId, payload, `The payload of update ${name}`)
    const operation: Operation = { kind: 'update', name, updateId, stored }
    await reach(runId, messageOf(runId, operation, actor), async (found) => {
      await updateLive(parts, found, asked)
    })
  }
  return awaitAnswer(parts, runId, asked, { afterSeq, untilMs })
}
