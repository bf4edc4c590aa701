import type { Shown } from './history.ts'
import type { LiveRun } from './live-run.ts'

/** What keeps a run from moving, as its log says it; undefined while something of it is under way. */
export function waitsFor(run: LiveRun, block: (detail: string) => void): Shown | undefined {
  if (run.blocked !== undefined) return { reason: 'blocked', detail: run.blocked }
  const { held } = run
  let holdsSome = held?.reason === 'paused'
  const missing: string[] = []
  for (const row of run.steps.rows.values()) {
    if (row.state === 'missing') missing.push(row.step)
    else if (held === undefined || row.state === 'running') return undefined
    else holdsSome = true
  }
  if (held !== undefined && holdsSome) return held
  const [step] = missing
  if (step !== undefined) {
    const detail = `Nothing here does the step ${step}. Start a process whose steps include it.`
    return { reason: 'worker_missing', detail }
  }
  const [child] = run.asks?.children.rows.values() ?? []
  if (child !== undefined) return { reason: 'child', detail: `For ${child.workflow}, run ${child.runId}.` }
  const untilMs = firstMs(run.timers.nextMs, run.asks?.waitpoints.nextMs)
  const until = untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }
  const [waitpoint] = run.asks?.waitpoints.rows.values() ?? []
  if (waitpoint !== undefined)
    return { reason: 'waitpoint', detail: waitpoint.title ?? waitpoint.name, ...until }
  if ((run.host?.conditions.size ?? 0) > 0 || run.host?.waitsForSignal) return { reason: 'signal', ...until }
  if (untilMs !== undefined) return { reason: 'timer', ...until }
  const detail =
    'The definition waits for something that is no step, timer or signal, so nothing can move it.'
  block(detail)
  return { reason: 'blocked', detail }
}

function firstMs(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}

/** Says in the log when a run begins to wait, and when it goes on. */
export function showWait(run: LiveRun): void {
  if (run.ended) return
  const isBorn = run.startedMs !== undefined || run.blocked !== undefined
  const next = isBorn ? waitsFor(run, (detail) => run.block(detail)) : (run.held ?? run.beginning.wait)
  if (!isBorn && next === undefined) return
  if (sameWait(next, run.shown)) return
  run.shown = next
  run.push(next === undefined ? { type: 'run.resumed', data: {} } : { type: 'run.waiting', data: next })
}

function sameWait(a: Shown | undefined, b: Shown | undefined): boolean {
  return a?.reason === b?.reason && a?.detail === b?.detail && a?.until === b?.until
}
