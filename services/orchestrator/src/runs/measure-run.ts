import type { RunMetrics } from '@kyros/contract/job'
import type { Run, Step } from '@kyros/contract/run'

/** Durations and retries of a run and of each of its steps, from its fold. */
export function measureRun(run: Run): RunMetrics {
  const steps = run.steps.filter(({ kind }) => kind === 'step').map(measureStep)
  const durationMs = between(run.started_at, run.completed_at)
  return {
    workflow_id: run.id,
    status: run.status,
    started_at: run.started_at,
    completed_at: run.completed_at,
    duration_seconds: durationMs === null ? null : durationMs / 1000,
    retry_count: steps.reduce((sum, step) => sum + step.retry_count, 0),
    step_metrics: steps,
    ...(run.steps_omitted !== undefined && { steps_omitted: run.steps_omitted }),
    resource_usage: { execution_count: run.steps.reduce((sum, step) => sum + step.attempts.length, 0) },
  }
}

function measureStep(step: Step): RunMetrics['step_metrics'][number] {
  return {
    name: step.name,
    status: step.status,
    started_at: step.started_at,
    completed_at: step.completed_at,
    duration_ms: between(step.started_at, step.completed_at),
    retry_count: Math.max(0, step.attempts.length - 1),
  }
}

/** Milliseconds from one time to the other, null while either is missing. */
function between(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Date.parse(to) - Date.parse(from)
}
