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
  const { bundle, started } = execution
  const { timeoutMs, title } = options
  execution.enter()
  execution.objectTo(nameFault('waitpoint', name) ?? titleFault(title))
  const isCancelled = CancellationScope.current().consideredCancelled
  const command = isCancelled ? 0 : execution.nextCommand()
  const durationMs = timeoutMs === undefined ? undefined : Math.max(1, timerMs(timeoutMs, Date.now()))
  const expires =
    durationMs === undefined ? {} : { expires_at: new Date(Date.now() + durationMs).toISOString() }
  if (!isCancelled)
    note({ kind: 'waitpoint', command, name, ...(title === undefined ? {} : { title }), ...expires })
  const answer = Promise.withResolvers<Json>()
  const timing = new CancellationScope()
  execution.size.addCommand('waitpoint', null)
  open.set(command, { answer: answer.resolve })
  const expiry =
    durationMs === undefined
      ? new Promise<never>(() => {})
      : timing
          .run(() => sleep(durationMs, { summary: timerSummary('expiry', command) }))
          .then(
            async () => {
              await execution.control?.resumed()
              const Expired = known(bundle.WaitpointExpired)
              throw new Expired(name)
            },
            // Answered, or its scope was cancelled.
            () => new Promise<never>(() => {}),
          )
  const cancelled = CancellationScope.current().cancelRequested
  const waited = Promise.race([answer.promise, expiry, cancelled]).catch((error: unknown) => {
    if (isCancellation(error) && started.live !== undefined && !isCancelled)
      note({ kind: 'waitpoint_cancelled', command, name })
    throw error
  })
  const completed = guard(bundle, () =>
    waited.finally(() => {
      open.delete(command)
      timing.cancel()
    }),
  )
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

const closePolicies = { cancel: 'TERMINATE', request_cancel: 'REQUEST_CANCEL', abandon: 'ABANDON' } as const

async function startChild(
  execution: Execution,
  workflow: string,
  input: Json,
  options: ChildOptions = {},
): Promise<unknown> {
  const { bundle, versions, started } = execution
  const { parentClose = 'request_cancel' } = options
  execution.enter()
  const payload = toPayload(input, `The input of child ${workflow}`)
  execution.objectTo(
    nameFault('workflow', workflow) ??
      keyFault(`child ${workflow}`, options.key) ??
      parentCloseFault(parentClose),
  )
  const timeoutSeconds = childSeconds(options.timeoutSeconds ?? 24 * 3600)
  const key = execution.nextKey(workflow, options.key)
  const command = execution.nextCommand()
  const childId =
    started.live === undefined ? `${workflowInfo().workflowId}/${key}` : childIdOf(started.part ?? 0, command)
  if (started.live !== undefined) refuseChild(execution, workflow, childId)
  const { version, hash: definition } = versions[workflow] ?? { version: started.version, hash: '' }
  const meta: ChildMeta = { key, command, parent_close: parentClose, definition }
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
  const child: StartedWith = {
    ...rest,
    attempt: 1,
    version,
    // Border cast: it is what `below` is, without what people and limits do to this run.
    ...(below === undefined ? {} : { live: facts as NonNullable<StartedWith['live']> }),
  }
  return guard(bundle, () =>
    executeChild(workflow, {
      args: [payload, child, meta],
      workflowId: childId,
      workflowExecutionTimeout: timeoutSeconds * 1000,
      ...(live?.search === undefined ? {} : { typedSearchAttributes: pairsOf(live.search) }),
      parentClosePolicy: closePolicies[parentClose],
      cancellationType: parentClose === 'abandon' ? 'ABANDON' : 'TRY_CANCEL',
    }),
  )
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
