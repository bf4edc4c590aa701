import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { StepOptions } from '@kyros/workflows/define'
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  scheduleActivity,
  scheduleLocalActivity,
  sleep,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow'
import { type ResolvedStepOptions, resolveStepOptions, retryDelayMs } from '../embedded/retry-policy.ts'
import { note } from './adapter-control.ts'
import { guard } from './adapter-errors.ts'
import type { InlineSteps } from './adapter-inline.ts'
import { toPayload } from './adapter-payload.ts'
import {
  cutOff,
  elsewhere,
  inlineLimits,
  maxCuts,
  type StepMeta,
  timerSummary,
  workerMissing,
} from './start-facts.ts'
import { cutError } from './step-ends.ts'
import type { Execution } from './workflow-adapter.ts'

type StepCall = (input: unknown, options?: StepOptions) => Promise<Json>

/** A worker that died is noticed within this time: every attempt gives signs of life. */
const deadAfterMs = 10_000
/** What the worker itself ends in time; this is for one that died without a sign. */
const marginMs = 30_000
/**
 * To the cluster an attempt has begun when a worker took it, though it may wait there for a slot. The worker itself
 * ends it in its time, counted from its real beginning, and signs of life find a worker that died: so the cluster's
 * own limit is only for what both have missed.
 */
const slotWaitMs = 24 * 3_600_000
const firstMissingMs = 500
const longestMissingMs = 30_000

type Asked = { step: string; key: string; command: number; input: Json; options: ResolvedStepOptions }

/**
 * `context.step`: each attempt is an activity that is not tried again; what comes after it is decided here. One that did
 * not end as a local activity begins again as an ordinary one: another worker may take that.
 */
export function createSteps(execution: Execution): { [name: string]: StepCall } {
  const { bundle, started } = execution
  const { maxRetries = 3 } = started
  const target: { [name: string]: StepCall } = {}
  return new Proxy(target, {
    get: (_target, step) => {
      if (typeof step !== 'string' || step === 'then') return undefined
      const call: StepCall = (input, given) => {
        const { host } = execution
        const scope = host.enter()
        const cancelled = host.cancelledIn(scope)
        if (cancelled !== undefined) return cancelled
        const options = resolveStepOptions(
          { step, fromCall: given, fromDefinition: bundle.definition.stepDefaults?.[step], maxRetries },
          (fault) => host.objectTo(fault),
        )
        const payload = toPayload(input, `The input of step ${step}`)
        const key = host.nextKey('step', step, given?.key)
        const command = host.begin('step', step, payload)
        const asked = { step, key, command, input: payload, options }
        return host.wait(command, scope, () => guard(bundle, () => runStep(execution, asked), step))
      }
      return call
    },
  })
}

async function runStep(execution: Execution, asked: Asked): Promise<Json> {
  const { step, command, options } = asked
  const { scheduleToCloseMs } = options
  const closeByMs = scheduleToCloseMs === undefined ? Infinity : Date.now() + scheduleToCloseMs
  let [attempt, cuts, missing] = [1, 0, 0]
  let mayBeInline = true
  for (;;) {
    // Not awaited needlessly: commands are given in the order in which the definition asks.
    if (execution.control?.isHeld) await execution.control.open()
    const leftMs = closeByMs - Date.now()
    if (leftMs <= 0 && execution.started.live !== undefined) noteLate(asked, attempt)
    const which = { attempt, cuts, missing, leftMs }
    const end = leftMs > 0 ? await attemptOnce(execution, asked, { ...which, mayBeInline }) : late(asked)
    mayBeInline = false
    if (end.kind === 'completed') return end.output
    if (end.kind === 'elsewhere') continue
    if (end.kind === 'missing') {
      missing += 1
      const pauseMs = Math.min(longestMissingMs, firstMissingMs * 2 ** Math.min(missing, 10))
      await sleep(pauseMs, { summary: timerSummary('missing', command) })
      continue
    }
    if (end.kind === 'cut' && cuts < maxCuts) {
      cuts += 1
      continue
    }
    const error = end.kind === 'cut' ? cutError(cuts + 1) : end.error
    const delayMs = retryDelayMs(options, attempt, error)
    if (delayMs === undefined || Date.now() + delayMs >= closeByMs) {
      const { StepFailure } = execution.bundle
      throw new StepFailure(step, error.code, error.message, attempt)
    }
    if (delayMs > 0) {
      await sleep(Math.ceil(delayMs), { summary: timerSummary('retry', command) })
      execution.inline.renew()
      mayBeInline = true
    } else if (execution.control?.isHeld) {
      note({ kind: 'retry', command })
    }
    attempt += 1
    cuts = 0
  }
}

type AttemptEnd =
  | { kind: 'completed'; output: Json }
  | { kind: 'failed'; error: ErrorData }
  | { kind: 'cut' }
  | { kind: 'missing' }
  /** It has not begun, and may not as a local activity. */
  | { kind: 'elsewhere' }

type Which = { attempt: number; cuts: number; missing: number; leftMs: number }

async function attemptOnce(
  execution: Execution,
  asked: Asked,
  which: Which & { mayBeInline: boolean },
): Promise<AttemptEnd> {
  const { control, inline } = execution
  const { step, command, input, options } = asked
  const isInline = which.mayBeInline && inline.admits({ ...options, command, attempt: which.attempt })
  const meta = metaOf(execution, asked, which)
  control?.begin()
  try {
    const output = await (isInline
      ? runInline(inline, asked, meta)
      : scheduleActivity<Json>(step, [input, meta], activityOptions(execution, asked, which)))
    if (!isInline) inline.renew()
    return { kind: 'completed', output: output ?? null }
  } catch (error) {
    if (isCancellation(error)) throw error
    if (!isInline) inline.renew()
    return endOf(error, asked)
  } finally {
    control?.end()
  }
}

async function runInline(inline: InlineSteps, { step, input }: Asked, meta: StepMeta): Promise<Json> {
  const told = inline.begin(input, meta)
  try {
    return await scheduleLocalActivity<Json>(step, [input, told], {
      startToCloseTimeout: meta.start_to_close_ms + inlineLimits.coreMarginMs,
      cancellationType: ActivityCancellationType.TRY_CANCEL,
      retry: { maximumAttempts: 1 },
    })
  } finally {
    inline.end()
  }
}

function metaOf(execution: Execution, asked: Asked, { attempt, cuts, missing, leftMs }: Which): StepMeta {
  const { step, key, command, options } = asked
  const { startToCloseMs, heartbeatMs, maxAttempts, mode, queue, concurrencyKey } = options
  const priority = options.priority ?? execution.started.live?.priority
  const principal = execution.started.live?.principal ?? { id: 'engine', role: 'viewer' }
  return {
    run_id: workflowInfo().workflowId,
    workflow: workflowInfo().workflowType,
    ...{ step, key, command, attempt, cuts, missing, principal },
    max_attempts: maxAttempts,
    start_to_close_ms: Math.min(startToCloseMs, leftMs),
    ...(heartbeatMs === undefined ? {} : { heartbeat_ms: heartbeatMs }),
    ...(mode === 'inline' ? { mode } : {}),
    ...(queue === undefined ? {} : { queue }),
    ...(concurrencyKey === undefined ? {} : { concurrency_key: concurrencyKey }),
    ...(priority === undefined ? {} : { priority }),
  }
}

function activityOptions(execution: Execution, { key, options }: Asked, { leftMs }: Which) {
  const { startToCloseMs, scheduleToCloseMs, priority = execution.started.live?.priority } = options
  return {
    activityId: key,
    startToCloseTimeout: startToCloseMs + marginMs + slotWaitMs,
    ...(scheduleToCloseMs === undefined ? {} : { scheduleToCloseTimeout: leftMs + marginMs }),
    heartbeatTimeout: deadAfterMs,
    retry: { maximumAttempts: 1 },
    ...(priority === undefined ? {} : { priority: { priorityKey: priority } }),
  }
}

function endOf(error: unknown, { step }: Asked): AttemptEnd {
  // Of a local activity the core gives the failure as it is.
  const cause = error instanceof ActivityFailure ? error.cause : error
  if (cause instanceof ApplicationFailure) {
    if (cause.type === elsewhere) return { kind: 'elsewhere' }
    if (cause.type === cutOff) return { kind: 'cut' }
    if (cause.type === workerMissing) return { kind: 'missing' }
    return { kind: 'failed', error: errorOf(cause) }
  }
  if (cause instanceof TimeoutFailure) {
    if (cause.timeoutType === 'HEARTBEAT') return { kind: 'cut' }
    const message = `No worker has ended step ${step} in its time.`
    return { kind: 'failed', error: { code: 'step_timed_out', message, retryable: true } }
  }
  if (error instanceof ActivityFailure) {
    return { kind: 'failed', error: { code: 'step_error', message: error.cause?.message ?? error.message } }
  }
  throw error
}

function errorOf(failure: ApplicationFailure): ErrorData {
  const detail: unknown = failure.details?.[0]
  const retryable =
    typeof detail === 'object' && detail !== null && 'retryable' in detail ? detail.retryable : undefined
  return {
    code: failure.type ?? 'step_error',
    message: failure.message,
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
  }
}

/** The last that is said of the step was that it is tried again. */
function noteLate({ step, key, command, options }: Asked, attempt: number): void {
  const message = lateMessage(options)
  note({ kind: 'step_late', step, key, command, attempt: Math.max(1, attempt - 1), message })
}

const lateMessage = ({ scheduleToCloseMs }: ResolvedStepOptions) =>
  `The step took longer than ${scheduleToCloseMs} ms in all.`

function late({ options }: Asked): AttemptEnd {
  const error = { code: 'step_timed_out', message: lateMessage(options), retryable: false }
  return { kind: 'failed', error }
}
