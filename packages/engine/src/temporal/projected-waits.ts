import type { Shown } from '../embedded/history.ts'

export type StepRow = {
  readonly step: string
  readonly key: string
  readonly command: number
  readonly attempt: number
  readonly cuts: number
  readonly scheduledId: number
  state: 'running' | 'backoff' | 'missing'
}
export type TimerRow = { name: string; command: number; fireAtMs: number }
export type WaitpointRow = { name: string; title: string | undefined; expiresAtMs: number | undefined }
export type ChildRow = { workflow: string; runId: string; command: number }

/** What a run on a cluster has asked for and not got: steps and waitpoints by command, the others by the event that began them. */
export type PendingRows = {
  readonly steps: Map<number, StepRow>
  readonly timers: Map<number, TimerRow>
  readonly waitpoints: Map<number, WaitpointRow>
  readonly children: Map<number, ChildRow>
  conditions: number
  updates: number
}

export function noRows(): PendingRows {
  return {
    steps: new Map(),
    timers: new Map(),
    waitpoints: new Map(),
    children: new Map(),
    conditions: 0,
    updates: 0,
  }
}

/** What keeps a run from moving, in the words of the embedded engine; undefined while something of it is under way. */
export function firstWait(
  { steps, timers, waitpoints, children, conditions, updates }: PendingRows,
  { pausedBy, held }: { pausedBy: string | undefined; held: string | undefined },
): Shown | undefined {
  const missing: string[] = []
  for (const { state, step } of steps.values()) {
    if (state === 'missing') missing.push(step)
    else return undefined
  }
  if (pausedBy !== undefined) return { reason: 'paused', detail: `Paused by ${pausedBy}.` }
  if (held !== undefined) return { reason: 'budget_exceeded', detail: held }
  const [step] = missing
  if (step !== undefined) {
    const detail = `Nothing here does the step ${step}. Start a process whose steps include it.`
    return { reason: 'worker_missing', detail }
  }
  const [child] = children.values()
  if (child !== undefined) return { reason: 'child', detail: `For ${child.workflow}, run ${child.runId}.` }
  return timedWait([...timers.values()], [...waitpoints.values()], conditions + updates)
}

function timedWait(
  timers: readonly TimerRow[],
  waitpoints: readonly WaitpointRow[],
  conditions: number,
): Shown {
  const times = [
    ...timers.map(({ fireAtMs }) => fireAtMs),
    ...waitpoints.map(({ expiresAtMs = Infinity }) => expiresAtMs),
  ]
  const untilMs = Math.min(Infinity, ...times)
  const until = untilMs === Infinity ? {} : { until: new Date(untilMs).toISOString() }
  const [waitpoint] = waitpoints
  if (waitpoint !== undefined)
    return { reason: 'waitpoint', detail: waitpoint.title ?? waitpoint.name, ...until }
  if (conditions > 0 || timers.some(({ name }) => name === 'condition')) return { reason: 'signal', ...until }
  if (untilMs !== Infinity) return { reason: 'timer', ...until }
  const detail =
    'The definition waits for something that is no step, timer or signal, so nothing can move it.'
  return { reason: 'blocked', detail }
}
