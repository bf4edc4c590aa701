import { timerMs } from './asked-values.ts'
import type { ScopeNode } from './scope-tree.ts'
import type { StartedTimer, StructureHost } from './structure-host.ts'
import type { TimerName } from './workflow-command.ts'
import type { WorkflowHost } from './workflow-host.ts'

/** Begins a timer of the embedded engine in the scope of the caller. */
export function startTimer(host: WorkflowHost, name: TimerName, durationMs: number): StartedTimer {
  const scope = host.enter()
  const cancelled = host.cancelledIn(scope)
  if (cancelled !== undefined) return { command: 0, fired: cancelled }
  const command = host.begin('timer', name)
  if (command !== 0) host.ask({ kind: 'timer', command, name, durationMs })
  return { command, fired: host.wait(command, 'timer', name, scope) }
}

/** `context.sleep`. */
export async function sleep<S extends ScopeNode>(
  host: StructureHost<S>,
  until: number | Date | string,
): Promise<void> {
  await host.startTimer('sleep', timerMs(until, host.nowMs)).fired
}

/** `context.condition`. */
export async function waitFor<S extends ScopeNode>(
  host: StructureHost<S>,
  predicate: () => boolean,
  timeoutMs?: number,
): Promise<boolean> {
  const scope = host.enter()
  if (predicate()) return host.answeredAtOnce() ?? true
  await host.cancelledIn(scope)
  const timer =
    timeoutMs === undefined ? undefined : host.startTimer('condition', timerMs(timeoutMs, host.nowMs))
  return new Promise<boolean>((resolve, reject) => {
    const entry = { predicate, scope, timer: timer?.command ?? 0, resolve, reject }
    host.addCondition(entry)
    timer?.fired.then(
      () => host.dropCondition(entry) && resolve(false),
      (error: Error) => host.dropCondition(entry) && reject(error),
    )
  })
}
