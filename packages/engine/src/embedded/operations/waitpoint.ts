import { isDeepStrictEqual } from 'node:util'
import type { Json } from '@kyros/contract/json'
import { type ProblemError, problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import { fromStored } from '@kyros/store/stored-value'
import type { WaitpointView } from '../../engine.ts'
import type { WaitpointHistory } from '../asks-history.ts'
import type { EngineParts } from '../engine-parts.ts'
import { readHistory } from '../history.ts'
import type { LiveRun } from '../live-run.ts'
import type { WaitpointRef } from '../waitpoint-tokens.ts'
import type { Sender } from './control-run.ts'
import { storedInTime } from './stored-in-time.ts'

type Parts = Pick<EngineParts, 'store' | 'waitpointTokens'>

/** Which waitpoint a token is of. @throws waitpoint_token_invalid */
export function readToken({ waitpointTokens }: Parts, token: string): WaitpointRef {
  const ref = waitpointTokens.read(token)
  if (ref === undefined) throw invalid()
  return ref
}

/** What the log says of the waitpoint of a token. @throws waitpoint_token_invalid */
export async function findWaitpoint(
  { store }: Pick<Parts, 'store'>,
  ref: WaitpointRef,
): Promise<WaitpointHistory & { isOpen: boolean }> {
  const record = await store.runs.get(ref.runId)
  if (record === undefined) throw invalid()
  const history = await readHistory(store, ref.runId)
  const { part } = history
  const isOfThisPart = part === ref.part
  const found = isOfThisPart ? history.asks?.waitpoints.get(ref.command) : undefined
  if (found === undefined) throw ref.part < part ? closed('this question', 'cancelled') : invalid()
  // A fork that has not begun asks nobody yet.
  const isAsked = history.startedMs !== undefined && !isTerminal(record.status)
  return { ...found, isOpen: found.state === 'open' && isAsked }
}

/** @throws waitpoint_token_invalid */
export async function describe(parts: Parts, ref: WaitpointRef): Promise<WaitpointView> {
  const { name, title = null, expiresAtMs = null, isOpen } = await findWaitpoint(parts, ref)
  return { name, title, isOpen, expiresAtMs }
}

/** True when the waitpoint has this very answer. @throws waitpoint_closed, waitpoint_token_invalid */
export async function isAnswered(
  parts: Pick<Parts, 'store'>,
  ref: WaitpointRef,
  payload: Json,
): Promise<boolean> {
  const { name, state, isOpen, payload: answer } = await findWaitpoint(parts, ref)
  if (isOpen) return false
  if (state === 'completed' && isDeepStrictEqual(await fromStored(answer, parts.store.blobs), payload))
    return true
  throw closed(name, state)
}

/** Answers it in a run in memory; durable when this resolves. False: it is not open there. @throws run_ended */
export async function answerLive(
  { store }: Parts,
  run: LiveRun,
  answer: { ref: WaitpointRef; stored: Json },
  { actor, inboxId }: Sender,
): Promise<boolean> {
  const { part, command } = answer.ref
  const payload = await fromStored(answer.stored, store.blobs)
  let isOpen = false
  await run.act((hands, done, lost) => {
    if (hands.isTaken(inboxId)) {
      isOpen = true
      done()
      return
    }
    const given = {
      command,
      payload,
      stored: answer.stored,
      actor,
      ...(inboxId === undefined ? {} : { inboxId }),
    }
    isOpen = run.host?.part === part && (run.asks?.waitpoints.complete(given, done, lost) ?? false)
    if (!isOpen) done()
  })
  return isOpen
}

/** The answer as the log keeps it. @throws body_too_large */
export function storedAnswer(
  parts: Pick<EngineParts, 'store' | 'clock'>,
  runId: string,
  payload: Json,
): Promise<Json> {
  return storedInTime(parts, runId, payload, 'The answer')
}

function invalid(): ProblemError {
  return problem('waitpoint_token_invalid', { detail: 'This token is of no waitpoint here.' })
}

function closed(name: string, state: WaitpointHistory['state']): ProblemError {
  const why = {
    open: 'not asked now',
    completed: 'answered already',
    expired: 'over',
    cancelled: 'not asked any more',
  }
  return problem('waitpoint_closed', { detail: `The waitpoint ${name} is ${why[state]}.` })
}
