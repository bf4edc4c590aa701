import type { Json } from '@kyros/contract/json'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { ChildOptions, Waitpoint, WaitpointOptions, WorkflowContext } from '@kyros/workflows/define'
import {
  CancellationScope,
  defineSignal,
  executeChild,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import { keyFault, nameFault, parentCloseFault, titleFault } from '../embedded/asked-options.ts'
import { childSeconds, timerMs } from '../embedded/asked-values.ts'
import { createReplayRandom } from '../embedded/replay-random.ts'
import { note } from './adapter-control.ts'
import { guard, known } from './adapter-errors.ts'
import { toPayload } from './adapter-payload.ts'
import { childSecret, signToken } from './run-secret.ts'
import { pairsOf } from './search-attributes.ts'
import { type ChildMeta, type MessageMeta, type StartedWith, signals, timerSummary } from './start-facts.ts'
import type { Execution } from './workflow-adapter.ts'

type WaitCalls = Pick<WorkflowContext, 'waitpoint' | 'child'>
/** What the signal says that answers a waitpoint. */
export type WaitpointAnswer = { part: number; command: number; payload: Json }
type Open = { answer: (payload: Json) => void }

/** Children nest at most so deep, on both engines. */
const maxDepth = 32

export function createWaits(execution: Execution): WaitCalls {
  const open = new Map<number, Open>()
  const { part = 0 } = execution.started
  setHandler(defineSignal<[WaitpointAnswer, MessageMeta?]>(signals.waitpoint), (answer) => {
    if (answer.part === part) open.get(answer.command)?.answer(answer.payload)
  })
  return {
    waitpoint: <T>(name: string, options?: WaitpointOptions) =>
      openWaitpoint<T>(execution, open, name, options),
    child: <O>(workflow: string, input: Json, options?: ChildOptions) =>
      // Border cast: the result is JSON, and the definition says of what shape.
      startChild(execution, workflow, input, options) as Promise<O>,
  }
}

/** Temporal has no question to the outside: a waitpoint is a note, a signal, and a timer if it expires. */
function openWaitpoint<T>(
  execution: Execution,
  open: Map<number, Open>,
  name: string,
  options: WaitpointOptions = {},
): Waitpoint<T> {
  const { host, started } = execution
  const { timeoutMs, title } = options
  const scope = host.enter()
  const cancelled = host.cancelledIn(scope)
  host.objectTo(nameFault('waitpoint', name) ?? titleFault(title))
  const durationMs = timeoutMs === undefined ? undefined : Math.max(1, timerMs(timeoutMs, host.nowMs))
  const command = cancelled === undefined ? host.begin('waitpoint', name) : 0
  const asked = { command, name, title, durationMs }
  const completed = cancelled ?? host.wait(command, scope, () => askOutside(execution, open, asked))
  // Nobody has to look at it.
  completed.catch(() => {})
  const token = signToken(started.live, {
    runId: workflowInfo().workflowId,
    part: started.part ?? 0,
    command,
  })
  // Border cast: the payload is JSON, and the definition says of what shape.
  return { token, path: `/api/v1/waitpoints/${token}`, completed: completed as Promise<T> }
}

type Question = { command: number; name: string; title: string | undefined; durationMs: number | undefined }

async function askOutside(
  { bundle, started, control }: Execution,
  open: Map<number, Open>,
  { command, name, title, durationMs }: Question,
): Promise<Json> {
  const expires =
    durationMs === undefined ? {} : { expires_at: new Date(Date.now() + durationMs).toISOString() }
  note({ kind: 'waitpoint', command, name, ...(title === undefined ? {} : { title }), ...expires })
  const answer = Promise.withResolvers<Json>()
  open.set(command, { answer: answer.resolve })
  const timing = new CancellationScope()
  const expiry = timing.run(() => expire(durationMs, command))
  const expired = expiry.then(async () => {
    await control?.resumed()
    const Expired = known(bundle.WaitpointExpired)
    throw new Expired(name)
  })
  try {
    return await Promise.race([answer.promise, expired, CancellationScope.current().cancelRequested])
  } catch (error) {
    if (isCancellation(error) && started.live !== undefined)
      note({ kind: 'waitpoint_cancelled', command, name })
    throw error
  } finally {
    open.delete(command)
    timing.cancel()
    expired.catch(() => {})
  }
}

function expire(durationMs: number | undefined, command: number): Promise<void> {
  if (durationMs === undefined) return new Promise(() => {})
  return sleep(durationMs, { summary: timerSummary('expiry', command) })
}

const closePolicies = { cancel: 'TERMINATE', request_cancel: 'REQUEST_CANCEL', abandon: 'ABANDON' } as const

function startChild(
  execution: Execution,
  workflow: string,
  input: Json,
  options: ChildOptions = {},
): Promise<Json> {
  const { bundle, started, host } = execution
  const { parentClose = 'request_cancel' } = options
  const scope = host.enter()
  const cancelled = host.cancelledIn(scope)
  if (cancelled !== undefined) return cancelled
  const payload = toPayload(input, `The input of child ${workflow}`)
  host.objectTo(
    nameFault('workflow', workflow) ??
      keyFault(`child ${workflow}`, options.key) ??
      parentCloseFault(parentClose),
  )
  const timeoutSeconds = childSeconds(options.timeoutSeconds ?? 24 * 3600)
  const key = host.nextKey('child', workflow, options.key)
  const command = host.begin('child', workflow, payload)
  const childId =
    started.live === undefined ? `${workflowInfo().workflowId}/${key}` : childIdOf(started.part ?? 0, command)
  const asked = { workflow, payload, childId, key, command, parentClose, timeoutSeconds }
  return host.wait(command, scope, () => guard(bundle, () => runChild(execution, asked)))
}

type AskedChild = {
  workflow: string
  payload: Json
  childId: string
  key: string
  command: number
  parentClose: ChildMeta['parent_close']
  timeoutSeconds: number
}

async function runChild(execution: Execution, asked: AskedChild): Promise<Json> {
  const { versions, started } = execution
  const { workflow, payload, childId, key, command, parentClose, timeoutSeconds } = asked
  if (started.live !== undefined) refuseChild(execution, workflow, childId)
  const { version, hash: definition } = versions[workflow] ?? { version: started.version, hash: '' }
  const meta: ChildMeta = { key, command, parent_close: parentClose, definition }
  const search = started.live?.search
  // Border cast: what the adapter gives as a result is JSON.
  return (await executeChild(workflow, {
    args: [payload, childStart(started, version, { childId, definition }), meta],
    workflowId: childId,
    workflowExecutionTimeout: timeoutSeconds * 1000,
    ...(search === undefined ? {} : { typedSearchAttributes: pairsOf(search) }),
    parentClosePolicy: closePolicies[parentClose],
    cancellationType: parentClose === 'abandon' ? 'ABANDON' : 'TRY_CANCEL',
  })) as Json
}

/** What a child is told of itself: what its parent is, without what people and limits do to that run. */
function childStart(
  started: StartedWith,
  version: string,
  { childId, definition }: { childId: string; definition: string },
): StartedWith {
  const {
    attempt: _,
    part: _part,
    carried: _carried,
    loop: _loop,
    seed: _seed,
    prefix: _prefix,
    live,
    ...rest
  } = started
  const below = live && {
    ...live,
    depth: live.depth + 1,
    secret: childSecret(live.secret, childId),
    definition,
  }
  const {
    limits: _limits,
    used: _used,
    activeMs: _activeMs,
    paused: _paused,
    cancelReason: _cancelReason,
    cancelActor: _cancelActor,
    ...facts
  } = below ?? {}
  return {
    ...rest,
    attempt: 1,
    version,
    // Border cast: it is what `below` is, without what people and limits do to this run.
    ...(below === undefined ? {} : { live: facts as NonNullable<StartedWith['live']> }),
  }
}

/** @throws ChildFailure for what the embedded engine would not start either */
function refuseChild({ bundle, versions, started }: Execution, workflow: string, childId: string): void {
  const Failure = known(bundle.ChildFailure)
  if (!Object.hasOwn(versions, workflow)) {
    const names = Object.keys(versions).join(', ')
    const message = `There is no workflow ${workflow}. The workflows here are: ${names}.`
    throw new Failure(workflow, childId, 'workflow_unknown', message)
  }
  if ((started.live?.depth ?? 0) + 1 <= maxDepth) return
  const message = `Children nest at most ${maxDepth} deep. Does ${workflow} start itself? Use loop or continueAsNew.`
  throw new Failure(workflow, childId, 'child_too_deep', message)
}

/** The same at every replay, and no other child's. */
function childIdOf(part: number, command: number): string {
  const { workflowId } = workflowInfo()
  const { random } = createReplayRandom(`${workflowId}/child/${part}/${command}`)
  return uuidv7(
    Date.now(),
    Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256)),
  )
}
