import type { Json } from '@kyros/contract/json'
import type { StepOptions, WorkflowContext } from '@kyros/workflows/define'
import { toJson } from './payload.ts'
import { createReplayRandom } from './replay-random.ts'
import { resolveStepOptions } from './retry-policy.ts'
import type { TimerName, WorkflowHost } from './workflow-host.ts'
import { inScope, isShielded } from './workflow-scope.ts'

type AnySteps = { [name: string]: (input: never) => Promise<Json> }
type StepCall = (input: unknown, options?: StepOptions) => Promise<Json>

// A timer further away than this is a mistake in the unit.
const longestTimerMs = 100 * 365 * 24 * 3_600_000

/** What workflow code sees of a host. */
export function createWorkflowContext(host: WorkflowHost): WorkflowContext<AnySteps> {
  const { runId, workflow, version, attempt } = host.run
  const { random, uuid } = createReplayRandom(runId)
  return {
    info: { runId, workflow, version, attempt },
    step: createStepCalls(host),
    sleep: async (durationMs) => {
      await startTimer(host, 'sleep', durationMs).fired
    },
    condition: (predicate, timeoutMs) => condition(host, predicate, timeoutMs),
    onSignal: (name, handler) => host.setHandler(name, handler),
    shield: (body) => inScope(host, true, body),
    now: () => host.nowMs,
    random,
    uuid,
    log: (level, message) => host.onLog(level, String(message)),
  }
}

function createStepCalls(host: WorkflowHost): WorkflowContext<AnySteps>['step'] {
  const calls = new Map<string, StepCall>()
  const target: { [name: string]: StepCall } = {}
  return new Proxy(target, {
    get: (_target, name) => {
      if (typeof name !== 'string') return undefined
      const known = calls.get(name)
      if (known !== undefined) return known
      const call = createStepCall(host, name)
      calls.set(name, call)
      return call
    },
  })
}

function createStepCall(host: WorkflowHost, step: string): StepCall {
  const defaults = host.loaded.definition.stepDefaults?.[step]
  return (input, given) => {
    const shielded = isShielded()
    if (host.cancelled && !shielded) return rejected(host.cancelledError())
    const options = resolveStepOptions(given, defaults, host.run.maxRetries)
    const payload = toJson(input, `The input of step ${step}`)
    const key = host.nextKey(step, given?.key)
    return host.issue((command) => ({ kind: 'step', command, step, key, input: payload, options }), shielded)
  }
}

function startTimer(host: WorkflowHost, name: TimerName, durationMs: number) {
  if (!Number.isFinite(durationMs) || durationMs > longestTimerMs) {
    throw new RangeError(`A timer of ${durationMs} ms cannot be set: give milliseconds up to 100 years.`)
  }
  const shielded = isShielded()
  if (host.cancelled && !shielded) return { command: undefined, fired: rejected(host.cancelledError()) }
  const rounded = Math.max(0, Math.ceil(durationMs))
  const fired = host.issue((command) => ({ kind: 'timer', command, name, durationMs: rounded }), shielded)
  return { command: host.issued, fired }
}

async function condition(host: WorkflowHost, predicate: () => boolean, timeoutMs?: number): Promise<boolean> {
  const shielded = isShielded()
  if (predicate()) return true
  if (host.cancelled && !shielded) throw host.cancelledError()
  const timer = timeoutMs === undefined ? undefined : startTimer(host, 'condition', timeoutMs)
  return new Promise<boolean>((resolve, reject) => {
    const entry = { predicate, shielded, timer: timer?.command, resolve, reject }
    host.conditions.add(entry)
    timer?.fired.then(
      () => host.conditions.delete(entry) && resolve(false),
      (error: Error) => host.conditions.delete(entry) && reject(error),
    )
  })
}

/** Rejected without being an unhandled rejection. */
function rejected(error: Error): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(() => {})
  return promise
}
